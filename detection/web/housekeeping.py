"""What the server throws away by itself, after the times that the settings state; a thread looks every few minutes."""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path

from django.conf import settings

from detection.jobs import retention
from detection.jobs.retention import Removed
from detection.records import partial
from detection.records.files import remove_left_behind
from detection.web import previews

LOOK_EVERY_S = 600.0
DAY_S = 86_400.0
WRITTEN_WHOLE = ("uploads", "queue", "queue/*", "log", "access")  # folders; that of a run goes with the run

logger = logging.getLogger(__name__)


def tidy() -> None:
    """Remove what has expired. Several server processes may do so at once."""
    root = Path(settings.MEDIA_ROOT)
    keep_days = settings.DEEPFAKE_KEEP_DAYS
    abandoned = partial.remove_abandoned(root, settings.DEEPFAKE_KEEP_PARTIAL_DAYS * DAY_S)
    if abandoned:
        logger.info("%d unfinished uploads were removed: nobody went on with them.", abandoned)
    for name in WRITTEN_WHOLE:
        for folder in root.glob(name):
            remove_left_behind(folder, DAY_S)
    trash_days = retention.trash_days(settings.DEEPFAKE_KEEP_DELETED_DAYS, keep_days)
    emptied = retention.empty_trash(root, deleted_days=trash_days, finished_days=keep_days or None)
    _tell(emptied, f"lay in the trash for {trash_days} days")
    if keep_days:
        _tell(retention.remove_expired(root, keep_days), f"finished or came {keep_days} days ago")


def _tell(removed: Removed, why: str) -> None:
    for sha256 in removed.uploads:
        previews.forget_unless_there(sha256)
    if removed.runs or removed.uploads:
        logger.info("%d runs and %d files were removed for good: they %s.", removed.runs, len(removed.uploads), why)


def _keep_tidy() -> None:
    while True:
        try:
            tidy()
        except Exception:  # the disk may be back at the next look
            logger.exception("Tidying up media/ failed; another try in %.0f s.", LOOK_EVERY_S)
        time.sleep(LOOK_EVERY_S)


def start() -> None:
    """Once per server process; called by `deepfake_site.wsgi`."""
    threading.Thread(target=_keep_tidy, name="housekeeping", daemon=True).start()
