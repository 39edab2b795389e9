"""Whether this installation can take videos and analyse them now: what /readyz, the status page and a monitor ask."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from detection.inference import weights
from detection.jobs import queues
from detection.jobs.runs import media_root

MB = 1024 * 1024
WRITTEN = (".", "uploads/.incoming", "runs", "log", "queue")  # below media/


@dataclass(frozen=True)
class Check:
    """One thing that must be in order. `fault` says what is wrong and the way out; None: it is in order."""

    name: str
    fault: str | None


def checks() -> list[Check]:
    """Looked at anew with every call."""
    return [Check(name, look()) for name, look in LOOKS.items()]


def _media() -> str | None:
    root = media_root()
    try:
        for name in WRITTEN:
            folder = root / name
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder) as file:
                file.write(b"one block, so that a full disk shows")
    except OSError as error:
        told = _("Nothing can be written below %(folder)s (DEEPFAKE_MEDIA): %(why)s.")
        return told % {"folder": root, "why": error.strerror}
    return None


def _disk() -> str | None:
    try:
        free_mb = shutil.disk_usage(media_root()).free // MB
    except OSError as error:
        told = _("%(folder)s (DEEPFAKE_MEDIA) cannot be looked at: %(why)s.")
        return told % {"folder": media_root(), "why": error.strerror}
    if free_mb >= settings.DEEPFAKE_MIN_FREE_MB:
        return None
    told = _(
        "%(free)d MB of the disk are free, less than %(least)d (DEEPFAKE_MIN_FREE_MB). Delete videos or runs that are "
        "no longer needed."
    )
    return told % {"free": free_mb, "least": settings.DEEPFAKE_MIN_FREE_MB}


def _weights() -> str | None:
    return _weights_as_they_are(tuple(map(_stamp, weights.manifest_files())))


@lru_cache(maxsize=1)
def _weights_as_they_are(stamps: tuple[object, ...]) -> str | None:
    """They are read and hashed when one of them changed, not with every look."""
    weights.verified_path.cache_clear()
    problems = weights.problems()
    if not problems:
        return None
    return _("The networks' files are not as they should be:") + " " + " ".join(map(str, problems))


def _stamp(path: Path) -> tuple[str, int, int]:
    try:
        status = path.stat()
    except OSError:
        return path.name, 0, 0
    return path.name, status.st_size, status.st_mtime_ns


def _queue() -> str | None:
    if not queues.on_redis():
        return None
    from detection.jobs.redis_queue import check_connection

    fault = check_connection()
    return fault and _("The queue on Redis (DEEPFAKE_QUEUE) cannot be reached:") + f" {fault}"


def _worker() -> str | None:
    try:
        is_alive = queues.work_queue().has_worker()
    except OSError as error:
        return _("Whether a worker lives cannot be seen: %s.") % error.strerror
    if is_alive:
        return None
    return _("Nothing is working off the queue. Start the site with its worker, or run: python manage.py worker")


LOOKS: dict[str, Callable[[], str | None]] = {
    "media": _media,
    "disk": _disk,
    "weights": _weights,
    "queue": _queue,
    "worker": _worker,
}
