"""Deleted runs under media/runs/.trash: out of the history, and brought back whole as long as they lie there.

A run moves as one folder, by one rename, with `deleted.json` in it. While it moves it carries the mark of an unfinished
run, so a crash between the rename and the log is put in order by `detection.jobs.recovery`.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from detection.records import codec, log, store, times
from detection.records.files import sync_folder, write_atomic
from detection.records.lifecycle import RECORD, lock_of
from detection.records.schema import RunRecord, RunState, Verdict

FOLDER, GOING = ".trash", ".deleted"  # below runs/: what can be brought back, and what is being removed for good


class NotInTrash(Exception):
    """It was never deleted, was brought back, or is gone for good."""


@dataclass(frozen=True)
class DeletedRun:
    """What is said of a deleted run. Times are ISO 8601 in UTC; of an unreadable record only `id` is known."""

    id: str
    deleted_at: str
    finished_at: str
    video_name: str
    sha256: str = ""
    state: RunState | None = None
    verdict: Verdict | None = None
    score: float | None = None


def delete_run(root: Path, run_id: str) -> DeletedRun:
    """Move a finished run into the trash. Raises RunNotFound, RunIsActive."""
    source, target = store.run_dir(root, run_id), _place(root, run_id)
    with lock_of(source, store.RunNotFound(f"There is no run {run_id}.")):
        if run_id in store.active_ids(root):
            raise store.RunIsActive(f"Run {run_id} is not finished: cancel it first.")
        deleted, modules = _described(root, run_id)
        store.life_of(root, run_id).set_mark()
        with contextlib.suppress(OSError):  # where the disk is full, deleting must work all the same
            write_atomic(source / store.DELETED, codec.to_json(deleted))
        os.utime(source)
        target.parent.mkdir(exist_ok=True)
        _move(source, target)
    log.remove(root, run_id, modules)
    store.life_of(root, run_id).unmark()
    return deleted


def restore_run(root: Path, run_id: str) -> None:
    """Bring a deleted run back to where it was, and into the history. Raises NotInTrash."""
    source, target = _place(root, run_id), store.run_dir(root, run_id)
    with lock_of(source, _not_there(run_id)):
        store.life_of(root, run_id).set_mark()
        _move(source, target)
    (target / store.DELETED).unlink(missing_ok=True)
    try:
        store.finish_run(root, run_id, store.load_run(root, run_id).state)  # enters it in the log, and ends the mark
    except codec.RecordError:
        store.life_of(root, run_id).unmark()  # as unreadable as it was before


def purge_run(root: Path, run_id: str) -> None:
    """Remove a deleted run for good. Raises NotInTrash."""
    going = root / "runs" / GOING / run_id
    with lock_of(_place(root, run_id), _not_there(run_id)):
        going.parent.mkdir(exist_ok=True)
        _move(_place(root, run_id), going)  # from here on it is gone, whatever happens to this process
    shutil.rmtree(going)


def deleted_run(root: Path, run_id: str) -> DeletedRun:
    """Raises NotInTrash."""
    folder = _place(root, run_id)
    if not folder.is_dir():
        raise _not_there(run_id)
    return codec.read(folder / store.DELETED, DeletedRun) or _undescribed(folder)


def deleted_runs(root: Path) -> list[DeletedRun]:
    """All of them, the last deleted one first."""
    found = []
    for run_id in deleted_ids(root):
        with contextlib.suppress(NotInTrash):  # brought back meanwhile
            found.append(deleted_run(root, run_id))
    return sorted(found, key=lambda each: (each.deleted_at, each.id), reverse=True)


def deleted_ids(root: Path) -> list[str]:
    try:
        return [name for name in os.listdir(root / "runs" / FOLDER) if store.RUN_ID.fullmatch(name)]  # noqa: PTH208
    except FileNotFoundError:
        return []


def finish_move(root: Path, run_id: str) -> bool:
    """Take a run out of the log that a crash left in the trash and in the history; False if it is in no trash."""
    if not _place(root, run_id).is_dir():
        return False
    log.remove(root, run_id, log.modules(root))
    store.life_of(root, run_id).unmark()
    return True


def _described(root: Path, run_id: str) -> tuple[DeletedRun, tuple[str, ...]]:
    """What the trash will show of a run, and in which logs it is."""
    now = times.now()
    try:
        record = store.load_run(root, run_id)
    except (store.RunNotFound, codec.RecordError):
        return DeletedRun(run_id, now, now, run_id), log.modules(root)
    return _of_record(record, now), record.modules


def _undescribed(folder: Path) -> DeletedRun:
    moved_at = times.stamp_of_s(folder.stat().st_mtime)
    try:
        return _of_record(codec.record_from_json((folder / RECORD).read_bytes()), moved_at)
    except (OSError, codec.RecordError):
        return DeletedRun(folder.name, moved_at, moved_at, folder.name)


def _of_record(record: RunRecord, now: str) -> DeletedRun:
    analysis = record.analysis
    return DeletedRun(
        id=record.id,
        deleted_at=now,
        finished_at=record.finished_at or record.created_at,
        video_name=record.video_name,
        sha256=record.sha256,
        state=record.state,
        verdict=analysis.verdict if analysis else None,
        score=analysis.score if analysis else None,
    )


def _move(source: Path, target: Path) -> None:
    source.replace(target)
    sync_folder(source.parent)
    sync_folder(target.parent)


def _place(root: Path, run_id: str) -> Path:
    if not store.RUN_ID.fullmatch(run_id):
        raise _not_there(run_id)
    return root / "runs" / FOLDER / run_id


def _not_there(run_id: str) -> NotInTrash:
    return NotInTrash(f"There is no deleted run {run_id!r}. It was brought back, or its time in the trash is over.")
