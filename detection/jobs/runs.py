"""What the pages do with runs: start, follow, cancel, try again, delete.

All functions work on `settings.MEDIA_ROOT`. Besides those named, each may raise OSError when media/ cannot be used.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from detection.jobs import queues
from detection.jobs.queue import QueueUnreachable
from detection.jobs.reporting import Progress, read_step
from detection.jobs.tasks import analyse_run
from detection.modules import MODULES
from detection.records import followups, query, store, trash, uploads
from detection.records.codec import RecordError
from detection.records.lifecycle import PROGRESS
from detection.records.schema import RunRecord, RunState

logger = logging.getLogger(__name__)


class UnknownModule(ValueError):
    """A module that is not registered."""


class NotRetryable(Exception):
    """Only a run that failed or was cancelled can be tried again, and only while its video is there."""


@dataclass(frozen=True)
class QueueState:
    """`worker_alive` is False when queued runs have nobody to work them off."""

    worker_alive: bool
    queued: int
    running: tuple[str, ...]


def media_root() -> Path:
    return Path(settings.MEDIA_ROOT)


def start(sha256s: Sequence[str], modules: Sequence[str]) -> list[str]:
    """Queue one run per uploaded file, several as one batch; their ids.

    Raises UnknownModule, UploadNotFound, and then nothing is queued.
    """
    unknown = [key for key in modules if key not in MODULES]
    if unknown or not modules:
        raise UnknownModule(f"No module {', '.join(unknown) or 'was chosen'}; there are {', '.join(MODULES)}.")
    root = media_root()
    chosen = [uploads.find_upload(root, sha256) for sha256 in sha256s]
    batch = store.new_batch_id() if len(chosen) > 1 else None
    ids = []
    for upload in chosen:
        record = store.create_run(root, upload, modules, batch=batch)
        _enqueue(record.id)
        ids.append(record.id)
    return ids


def progress(run_id: str) -> Progress:
    """How far a run is. Raises RunNotFound, RecordError."""
    record = store.load_run(media_root(), run_id)
    queued = record.state is RunState.QUEUED
    return _progress(record, query.positions(active()) if queued else {})


def progress_of(run_ids: Iterable[str]) -> list[Progress]:
    """How far several runs are; those that are gone are left out. Queue and unfinished runs are looked at once for all.

    Raises RecordError.
    """
    unfinished = {run.id: run for run in active()}
    positions = query.positions(unfinished.values())
    found = []
    for run_id in run_ids:
        with contextlib.suppress(store.RunNotFound):
            record = unfinished.get(run_id) or store.load_run(media_root(), run_id)
            found.append(_progress(record, positions))
    return found


def _progress(record: RunRecord, positions: Mapping[str, int]) -> Progress:
    running = record.state is RunState.RUNNING
    return Progress(
        run=record.id,
        state=record.state,
        step=read_step(store.run_dir(media_root(), record.id) / PROGRESS) if running else None,
        position=positions.get(record.id),
        attempts=record.attempts,
        error=record.error,
    )


def active() -> list[RunRecord]:
    """The running and then the queued runs, in the order of the queue."""
    return query.active_runs(media_root())


def cancel(run_id: str) -> RunRecord:
    """End a queued run at once, a running one at its next step; others stay. Raises RunNotFound, RecordError."""
    return store.life_of(media_root(), run_id).cancel()


def retry(run_id: str) -> RunRecord:
    """Queue a run again that failed or was cancelled. Raises NotRetryable, RunNotFound, RecordError."""
    root = media_root()
    record = store.load_run(root, run_id)
    if record.state not in (RunState.FAILED, RunState.CANCELLED):
        raise NotRetryable(f"Run {run_id} is {record.state}; only failed and cancelled runs can be tried again.")
    if not (root / record.upload).exists():
        raise NotRetryable(f"The video of run {run_id} was deleted; upload it again.")
    record = store.requeue_run(root, run_id)
    _enqueue(run_id)
    return record


def batch_of(run_id: str) -> str | None:
    """The batch that a run was started in. Raises RunNotFound, RecordError."""
    return store.load_run(media_root(), run_id).batch


def _enqueue(run_id: str) -> None:
    """The record says that the run waits: if the queue cannot be told now, a worker that finds it so tells it later."""
    try:
        analyse_run.enqueue(run_id)
    except QueueUnreachable:
        logger.exception("Run %s is recorded, but not queued yet.", run_id)


def retry_failed() -> list[str]:
    """Queue every failed run again whose video is still there and record can be read; the ids, oldest first."""
    rows = query.history(media_root()).rows(query.Filter(state=RunState.FAILED))
    retried = []
    for row in reversed(rows):
        with contextlib.suppress(NotRetryable, store.RunNotFound, RecordError):  # somebody was quicker; it is damaged
            retried.append(retry(row.id).id)
    return retried


def delete(run_id: str) -> None:
    """Move a finished run into the trash. Raises RunNotFound, RunIsActive (also while a follow-up is)."""
    if any(run_id == busy for busy, _ in followups.active(media_root())):
        raise store.RunIsActive(f"Something more is being done with run {run_id}: cancel it first.")
    trash.delete_run(media_root(), run_id)


def queue_state() -> QueueState:
    runs = active()
    running = tuple(run.id for run in runs if run.state is RunState.RUNNING)
    return QueueState(queues.work_queue().has_worker(), len(runs) - len(running), running)
