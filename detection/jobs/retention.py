"""What is removed for good when its time is over: the trash, and old runs and files where the settings say so."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from detection.jobs.runs import delete
from detection.records import labelled, query, store, times, trash, upload_trash, uploads
from detection.records.trash import NotInTrash
from detection.records.uploads import UploadNotFound

DAY_S = 86_400.0


@dataclass(frozen=True)
class Removed:
    """What is gone for good."""

    runs: int = 0
    uploads: tuple[str, ...] = ()


def trash_days(deleted_days: int, keep_days: int) -> int:
    """How long the trash is kept: never longer than anything else is (`keep_days`; 0 is for ever)."""
    return min(deleted_days, keep_days) if keep_days else deleted_days


def empty_trash(root: Path, *, deleted_days: int = 0, finished_days: int | None = None) -> Removed:
    """Remove from the trash what was deleted `deleted_days` ago, and runs that finished `finished_days` ago."""
    deleted_before = _days_ago(deleted_days)
    finished_before = "" if finished_days is None else _days_ago(finished_days)
    runs, files = 0, []
    for run in trash.deleted_runs(root):
        if run.deleted_at <= deleted_before or run.finished_at <= finished_before:
            with contextlib.suppress(NotInTrash):  # brought back, or removed by another process
                trash.purge_run(root, run.id)
                runs += 1
    for sha256 in upload_trash.deleted_hashes(root):
        with contextlib.suppress(NotInTrash):
            if upload_trash.deleted_at(root, sha256) <= deleted_before:
                upload_trash.purge_upload(root, sha256)
                files.append(sha256)
    return Removed(runs, tuple(files))


def remove_expired(root: Path, keep_days: int) -> Removed:
    """Remove the runs that finished `keep_days` ago, and the files so old that no run is about any more."""
    finished_before = _days_ago(keep_days)
    expired = [row.id for row in query.history(root).rows() if row.finished_at <= finished_before]
    runs = 0
    for run_id in expired:
        with contextlib.suppress(store.RunNotFound, store.RunIsActive, NotInTrash):  # it is worked on, or gone
            delete(run_id)
            trash.purge_run(root, run_id)
            runs += 1
    files = []
    for sha256 in _unused(root, keep_days):
        with contextlib.suppress(UploadNotFound, NotInTrash):
            upload_trash.delete_upload(root, sha256)
            upload_trash.purge_upload(root, sha256)
            files.append(sha256)
    return Removed(runs, tuple(files))


def _unused(root: Path, keep_days: int) -> list[str]:
    """Files that came so long ago and that no run is about, in the history, the queue or the trash, nor are clips of
    which somebody said what is true."""
    came_before_s = time.time() - keep_days * DAY_S
    old = [sha256 for sha256, came_s in uploads.changed_s(root).items() if came_s <= came_before_s]
    used = {row.sha256 for row in query.history(root).rows()} if old else set()
    used |= {run.sha256 for run in query.active_runs(root)} | {run.sha256 for run in trash.deleted_runs(root)}
    used |= labelled.sha256s(root)
    return [sha256 for sha256 in old if sha256 not in used]


def _days_ago(days: int) -> str:
    """As records have times."""
    return times.stamp(datetime.now(UTC) - timedelta(days=days))
