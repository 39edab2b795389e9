"""How much may be uploaded in all and in a day, where the installation sets a limit."""

from __future__ import annotations

import time
from contextlib import suppress
from itertools import chain
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from detection.records import upload_trash, uploads

MB = 1024 * 1024
DAY_S = 24 * 3600.0


def exceeded(size_bytes: int) -> str | None:
    """Why a file of this size is one too many; None if it is not."""
    total_mb, day_mb = settings.DEEPFAKE_QUOTA_MB, settings.DEEPFAKE_QUOTA_MB_PER_DAY
    if not total_mb and not day_mb:
        return None
    kept, of_today = used_bytes(Path(settings.MEDIA_ROOT))
    if total_mb and kept + size_bytes > total_mb * MB:
        told = _("All uploads together may take %(limit)d MB (DEEPFAKE_QUOTA_MB). Remove videos, and empty the trash.")
        return told % {"limit": total_mb}
    if day_mb and of_today + size_bytes > day_mb * MB:
        told = _("In 24 hours %(limit)d MB may be uploaded (DEEPFAKE_QUOTA_MB_PER_DAY). Try again tomorrow.")
        return told % {"limit": day_mb}
    return None


def used_bytes(root: Path) -> tuple[int, int]:
    """What the uploads take, with unfinished ones and those in the trash, and how much of it came in 24 hours."""
    kept = of_today = 0
    since_s = time.time() - DAY_S
    whole = (path for path in (root / "uploads").glob("*") if path.is_file())
    unfinished = (path for path in uploads.incoming_dir(root).rglob("*") if path.is_file())
    deleted = (path for path in (root / "uploads" / upload_trash.FOLDER).glob("*/*") if path.is_file())
    for path in chain(whole, unfinished, deleted):
        with suppress(FileNotFoundError):  # finished or given up since it was listed
            status = path.stat()
            kept += status.st_size
            of_today += status.st_size if status.st_mtime >= since_s else 0
    return kept, of_today
