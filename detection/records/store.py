"""The runs under media/runs: created, changed and finished so that none is ever lost or half written.

`media/runs/<id>/record.json` is the truth. `media/runs/.active/<id>` is an empty mark that a run is not finished; it is
set before the record exists and removed after the log has the result, so whatever a crash leaves behind is found
again by looking at the marks alone (see `detection.jobs.recovery`). Deleting is in `detection.records.trash`.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from detection.records import codec, log, totals
from detection.records.lifecycle import CANCEL, HOLDER, LOCK, PROGRESS, RECORD, CountedLifecycle
from detection.records.schema import Analysis, RunRecord, RunState
from detection.records.times import next_turn, now
from detection.records.uploads import Upload

RUN_ID = re.compile(r"\d{8}-\d{9}-[0-9a-f]{6}")  # when it was created, to the millisecond: text order is time order
MARKS = ".active"  # below runs/
DELETED = "deleted.json"  # what the trash shows of a run; see `detection.records.trash`
BATCH_ID = re.compile("b" + RUN_ID.pattern)
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
    created = next_turn()
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
    life_of(root, record.id).admit(record)
    return record


def life_of(root: Path, run_id: str) -> CountedLifecycle[RunRecord]:
    """The run as one piece of work. Raises RunNotFound for what is no run id."""
    return CountedLifecycle(
        folder=run_dir(root, run_id),
        parse=codec.record_from_json,
        missing=RunNotFound(f"There is no run {run_id}."),
        way_out="Bring it back from a backup, or delete the run.",
        mark=root / "runs" / MARKS / run_id,
        conclude=partial(_conclude, root),
    )


def _conclude(root: Path, run: RunRecord, is_new: bool) -> None:
    if is_new:
        found = run.analysis
        totals.count_run(root, run.state, found.verdict if found else "", (found and found.reason) or "")
    log.append(root, log.entries_of(run))


def load_run(root: Path, run_id: str) -> RunRecord:
    """Raises RunNotFound, or RecordError (with the file's name) when the record cannot be read."""
    return life_of(root, run_id).load()


def save_run(root: Path, record: RunRecord) -> None:
    """Replace the record on disk. To change a run that others may change too, use `update_run`."""
    life_of(root, record.id).save(record)


def update_run(root: Path, run_id: str, change: Callable[[RunRecord], RunRecord]) -> RunRecord:
    """Apply `change` to the run as it is on disk while nobody else changes it, and return what is there now."""
    return life_of(root, run_id).change(change)


def finish_run(
    root: Path, run_id: str, state: RunState, *, analysis: Analysis | None = None, error: str | None = None
) -> RunRecord:
    """End a run: record, then log, then the mark. A run that has already ended stays as it ended."""
    return life_of(root, run_id).finish(state, analysis=analysis, error=error)


def requeue_run(root: Path, run_id: str) -> RunRecord:
    """Put a run that failed or was cancelled back among the queued ones; others stay as they are."""
    life = life_of(root, run_id)
    with life.locked() as record:
        if record.state not in (RunState.FAILED, RunState.CANCELLED):
            return record
        queued = replace(
            record,
            state=RunState.QUEUED,
            queued_at=next_turn(),
            attempts=0,
            analysis=None,
            error=None,
            started_at=None,
            finished_at=None,
        )
        life.admit(queued)
        log.remove(root, run_id, record.modules)
        return queued


def run_ids(root: Path) -> Iterator[str]:
    """All runs on disk, in order of time."""
    folder = root / "runs"
    if folder.is_dir():
        yield from sorted(entry.name for entry in folder.iterdir() if RUN_ID.fullmatch(entry.name))


def active_ids(root: Path) -> list[str]:
    """The runs that are not finished, in order of creation."""
    try:
        names = os.listdir(root / "runs" / MARKS)  # noqa: PTH208 names are wanted, for every look at a run
    except FileNotFoundError:
        return []
    return sorted(filter(RUN_ID.fullmatch, names))


def forget_unborn(root: Path, run_id: str) -> None:
    """Remove what is left of a run whose maker died before it was recorded."""
    folder = run_dir(root, run_id)
    if not (folder / RECORD).exists():
        shutil.rmtree(folder, ignore_errors=True)
        life_of(root, run_id).unmark()


def clear_evidence(root: Path, run_id: str) -> None:
    """Remove what an interrupted attempt left in the run's folder."""
    for entry in run_dir(root, run_id).iterdir():
        if entry.name in OWN_FILES:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
