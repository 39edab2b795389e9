"""The runs under media/runs: created, changed and finished so that none is ever lost or half written.

`media/runs/<id>/record.json` is the truth. `media/runs/.active/<id>` is an empty mark that a run is not finished; it is
set before the record exists and removed after the log has the result, so whatever a crash leaves behind is found
again by looking at the marks alone (see `detection.jobs.recovery`). Deleting is in `detection.records.trash`.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from detection.records import codec, log, totals
from detection.records.files import age_s, is_locked, locked, sync_folder, write_atomic
from detection.records.schema import Analysis, RunRecord, RunState
from detection.records.times import now
from detection.records.uploads import Upload

RUN_ID = re.compile(r"\d{8}-\d{9}-[0-9a-f]{6}")  # when it was created, to the millisecond: text order is time order
RECORD, PROGRESS, LOCK, HOLDER, CANCEL = "record.json", "progress.json", ".lock", ".holder", ".cancel"
DELETED = "deleted.json"  # what the trash shows of a run; see `detection.records.trash`
BATCH_ID = re.compile("b" + RUN_ID.pattern)
LOCK_WITHIN_S = 0.5  # somebody may be looking whether it is held
OWN_FILES = frozenset({RECORD, PROGRESS, LOCK, HOLDER, CANCEL, DELETED})


class RunNotFound(Exception):
    """There is no run of that id."""


class RunIsActive(Exception):
    """The run is queued or running: cancel it first."""


def run_dir(root: Path, run_id: str) -> Path:
    """The folder of a run, whether or not it exists. Raises RunNotFound for what is no run id."""
    if not RUN_ID.fullmatch(run_id):
        raise RunNotFound(f"{run_id!r} is not the id of a run.")
    return root / "runs" / run_id


def new_batch_id() -> str:
    """The id of a batch that is started now."""
    return f"b{id_of(now())}"


def batch_time(batch_id: str) -> str:
    """When the batch was started, as records have times."""
    day, clock = batch_id[1:9], batch_id[10:19]
    date = f"{day[:4]}-{day[4:6]}-{day[6:]}"
    return f"{date}T{clock[:2]}:{clock[2:4]}:{clock[4:6]}.{clock[6:]}+00:00"


def id_of(created: str) -> str:
    """A new id, of RUN_ID's form, for what was created then."""
    digits = re.sub(r"\D", "", created)
    return f"{digits[:8]}-{digits[8:17]}-{secrets.token_hex(3)}"


def create_run(
    root: Path,
    upload: Upload,
    modules: Iterable[str],
    *,
    state: RunState = RunState.QUEUED,
    name: str | None = None,
    batch: str | None = None,
) -> RunRecord:
    """A new run over an uploaded file, recorded before this returns."""
    created = now()
    record = RunRecord(
        id=id_of(created),
        created_at=created,
        state=state,
        upload=upload.path,
        video_name=name or upload.name,
        sha256=upload.sha256,
        modules=tuple(modules),
        video=upload.video,
        queued_at=created if state is RunState.QUEUED else None,
        started_at=created if state is RunState.RUNNING else None,
        attempts=1 if state is RunState.RUNNING else 0,
        batch=batch,
    )
    folder = run_dir(root, record.id)
    mark_active(root, record.id)
    folder.mkdir()
    save_run(root, record)
    sync_folder(folder.parent)
    return record


def load_run(root: Path, run_id: str) -> RunRecord:
    """Raises RunNotFound, or RecordError (with the file's name) when the record cannot be read."""
    path = run_dir(root, run_id) / RECORD
    try:
        return codec.record_from_json(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        raise RunNotFound(f"There is no run {run_id}.") from None
    except codec.RecordVersionError as error:
        raise codec.RecordVersionError(f"{path} cannot be read: {error}") from error
    except codec.RecordError as error:
        way_out = "Bring it back from a backup, or delete the run."
        raise codec.RecordError(f"{path} cannot be read: {error}. {way_out}") from error


def save_run(root: Path, record: RunRecord) -> None:
    """Replace the record on disk. To change a run that others may change too, use `update_run`."""
    write_atomic(run_dir(root, record.id) / RECORD, codec.to_json(record))


def update_run(root: Path, run_id: str, change: Callable[[RunRecord], RunRecord]) -> RunRecord:
    """Apply `change` to the run as it is on disk while nobody else changes it, and return what is there now.

    Not for ending a run or queueing it again: `finish_run` and `requeue_run` keep the log and the mark in step.
    """
    with _locked_run(root, run_id) as before:
        after = change(before)
        if after != before:
            save_run(root, after)
        return after


def finish_run(
    root: Path, run_id: str, state: RunState, *, analysis: Analysis | None = None, error: str | None = None
) -> RunRecord:
    """End a run: record, then log, then the mark. A run that has already ended stays as it ended."""
    if not state.is_final:
        raise ValueError(f"{state} does not end a run")
    with _locked_run(root, run_id) as record:
        return _finish(root, record, state, analysis, error)


def cancel_run(root: Path, run_id: str) -> RunRecord:
    """End a queued run; ask whoever analyses a running one to stop (see `cancel_requested`). Others stay."""
    with _locked_run(root, run_id) as record:
        if record.state is RunState.QUEUED:
            return _finish(root, record, RunState.CANCELLED, None, None)
        if record.state is RunState.RUNNING:
            (run_dir(root, run_id) / CANCEL).touch()
        return record


def cancel_requested(root: Path, run_id: str) -> bool:
    """Whether the running run was cancelled; who analyses it looks with every step of progress."""
    return (run_dir(root, run_id) / CANCEL).exists()


def requeue_run(root: Path, run_id: str, *, attempts: int) -> RunRecord:
    """Put a run that failed, was cancelled or was interrupted back among the queued ones; others stay as they are."""
    with _locked_run(root, run_id) as record:
        if record.state in (RunState.DONE, RunState.QUEUED):
            return record
        mark_active(root, run_id)
        queued = replace(
            record,
            state=RunState.QUEUED,
            queued_at=now() if record.state.is_final else record.queued_at,  # an interrupted one keeps its place
            attempts=attempts,
            analysis=None,
            error=None,
            started_at=None,
            finished_at=None,
        )
        save_run(root, queued)
        if record.state.is_final:
            log.remove(root, run_id, record.modules)
        return queued


def _finish(root: Path, before: RunRecord, state: RunState, analysis: Analysis | None, error: str | None) -> RunRecord:
    after = before
    if not before.state.is_final:
        after = replace(before, state=state, analysis=analysis, error=error, finished_at=now())
        save_run(root, after)
        totals.count_run(root, state, analysis.verdict if analysis else "", (analysis and analysis.reason) or "")
    elif not _mark_of(root, before.id).exists():
        return before
    log.append(root, log.entries_of(after))  # also for one that had ended, but is marked: a crash came in between
    (run_dir(root, after.id) / CANCEL).unlink(missing_ok=True)
    unmark(root, after.id)
    return after


@contextlib.contextmanager
def _locked_run(root: Path, run_id: str) -> Iterator[RunRecord]:
    folder = run_dir(root, run_id)
    if not folder.is_dir():
        raise RunNotFound(f"There is no run {run_id}.")
    with locked(folder / LOCK):
        yield load_run(root, run_id)


def run_ids(root: Path) -> Iterator[str]:
    """All runs on disk, in order of time."""
    folder = root / "runs"
    if folder.is_dir():
        yield from sorted(entry.name for entry in folder.iterdir() if RUN_ID.fullmatch(entry.name))


def active_ids(root: Path) -> list[str]:
    """The runs that are not finished, in order of creation."""
    try:
        return sorted(os.listdir(root / "runs" / ".active"))  # noqa: PTH208 names are wanted, for every look at a run
    except FileNotFoundError:
        return []


def active_for_s(root: Path, run_id: str) -> float:
    """For how many seconds the run has been marked unfinished; 0 if it is not."""
    try:
        return age_s(_mark_of(root, run_id).stat().st_mtime)
    except FileNotFoundError:
        return 0.0


def forget_unborn(root: Path, run_id: str) -> None:
    """Remove what is left of a run whose maker died before it was recorded."""
    folder = run_dir(root, run_id)
    if not (folder / RECORD).exists():
        shutil.rmtree(folder, ignore_errors=True)
        unmark(root, run_id)


def clear_evidence(root: Path, run_id: str) -> None:
    """Remove what an interrupted attempt left in the run's folder."""
    for entry in run_dir(root, run_id).iterdir():
        if entry.name in OWN_FILES:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


@contextlib.contextmanager
def holding(root: Path, run_id: str) -> Iterator[None]:
    """Show while this process lives that it analyses the run. Raises BlockingIOError if another one does."""
    with locked(run_dir(root, run_id) / HOLDER, within_s=LOCK_WITHIN_S):
        yield


def is_held(root: Path, run_id: str) -> bool:
    """Whether a living process analyses the run."""
    return is_locked(run_dir(root, run_id) / HOLDER)


def mark_active(root: Path, run_id: str) -> None:
    """Set the mark that a run is being made, changed or moved; recovery looks at what carries one."""
    mark = _mark_of(root, run_id)
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.touch()
    sync_folder(mark.parent)


def unmark(root: Path, run_id: str) -> None:
    """Take the mark away: the run, the log and the trash agree."""
    _mark_of(root, run_id).unlink(missing_ok=True)


def _mark_of(root: Path, run_id: str) -> Path:
    return root / "runs" / ".active" / run_id
