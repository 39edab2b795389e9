"""Who changed what, when and from where: JSON lines under media/log/audit, a file a day."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from detection.records.files import locked
from detection.records.times import now
from detection.web.access.exposure import client_address

logger = logging.getLogger("audit")


def write(request: HttpRequest, action: str, **more: Any) -> None:
    """Append a line. A disk that is full does not stop the site: the line then stands in the log alone."""
    line = {
        "time": now(),
        "who": getattr(request, "who", None) or "unknown",
        "address": client_address(request),
        "action": action,
        "method": request.method,
        "path": request.get_full_path()[:1000],
        **more,
    }
    text = json.dumps(line, ensure_ascii=False)
    logger.info("%s", text)
    try:
        folder = Path(settings.MEDIA_ROOT) / "log" / "audit"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{line['time'][:10]}.jsonl"
        with locked(folder / ".lock"), path.open("a", encoding="utf-8") as file:
            path.chmod(0o600)
            file.write(text + "\n")
    except OSError:
        logger.exception("The audit line could not be kept.")
