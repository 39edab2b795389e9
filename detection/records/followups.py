"""Follow-ups: work that is done on a finished run when somebody asks for it, such as relighting its video.

`media/runs/<run>/followups/<id>/record.json` is the truth about one. As with runs, an empty mark
(`media/runs/.followups/<run>.<id>`) is set before the record exists and removed after it has ended, so that whatever a
crash leaves behind is found again by looking at the marks alone (see `detection.jobs.recovery`).
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from detection.records import codec, store, times, totals
from detection.records.files import age_s, is_locked, locked, sync_folder, write_atomic
from detection.records.schema import RunState

Kind = Literal["relight", "changed_light"]

ID = re.compile(r"[0-9a-f]{24}")
FOLDER = "followups"
MARKS = ".followups"


class FollowUpNotFound(Exception):
    """There is no follow-up of that id under that run."""


@dataclass(frozen=True)
class FollowUp:
    """One piece of work. `request` says what is wanted, in JSON's types alone; its hash is the `id`, so that the same
    request is the same follow-up. `result` is there exactly when it is done. Times are ISO 8601 in UTC.

    `fault` names why it failed where that is known: one of `Reason`, or of `relitalk.errors.Fault`.
    """

    run: str
    id: str
    kind: Kind
    request: dict[str, Any]
    created_at: str
    queued_at: str
    state: RunState = RunState.QUEUED
    attempts: int = 0
    started_at: str | None = None
    finished_at: str | None = None
    result: dict[str, Any] | None = None
    error: str | None = None
    fault: str | None = None


def folder(root: Path, run_id: str, followup_id: str) -> Path:
    """Where a follow-up is recorded, whether or not it exists. Raises RunNotFound, FollowUpNotFound for no id."""
    if not ID.fullmatch(followup_id):
        raise FollowUpNotFound(f"{followup_id!r} is not the id of a follow-up.")
    return store.run_dir(root, run_id) / FOLDER / followup_id


def request(
    root: Path,
    run_id: str,
    followup_id: str,
    kind: Kind,
    wanted: dict[str, Any],
    is_whole: Callable[[FollowUp], bool] = lambda _: True,
) -> tuple[FollowUp, bool]:
    """The follow-up that does `wanted`, and whether it has to be queued: it is new, or had ended without a result, or
    with one of which `is_whole` says that it is not there as wanted any more, or cannot be read. Raises RunNotFound.
    """
    if not store.run_dir(root, run_id).is_dir():
        raise store.RunNotFound(f"There is no run {run_id}.")
    place = folder(root, run_id, followup_id)
    place.mkdir(parents=True, exist_ok=True)
    with locked(place / store.LOCK):
        try:
            known = load(root, run_id, followup_id)
        except (FollowUpNotFound, codec.RecordError):
            known = None
        if known is not None and (is_whole(known) if known.state is RunState.DONE else not known.state.is_final):
            return known, False
        _mark(root, run_id, followup_id)
        (place / store.CANCEL).unlink(missing_ok=True)  # somebody cancelled it as it was ending
        now = times.now()
        created = known.created_at if known else now
        queued = FollowUp(run_id, followup_id, kind, wanted, created_at=created, queued_at=now)
        _save(root, queued)
        return queued, True


def load(root: Path, run_id: str, followup_id: str) -> FollowUp:
    """Raises RunNotFound, FollowUpNotFound, RecordError."""
    path = folder(root, run_id, followup_id) / store.RECORD
    try:
        return codec.converter.structure(json.loads(path.read_bytes()), FollowUp)
    except (FileNotFoundError, NotADirectoryError):
        raise FollowUpNotFound(f"Run {run_id} has no follow-up {followup_id}.") from None
    except (ValueError, TypeError, codec.ValidationError) as error:
        raise codec.RecordError(f"{path} cannot be read: {error}. Ask for the same again.") from error


def of_run(root: Path, run_id: str) -> list[FollowUp]:
    """All follow-ups of a run, the latest first; what cannot be read is left out. Raises RunNotFound."""
    place = store.run_dir(root, run_id) / FOLDER
    found = []
    for entry in place.iterdir() if place.is_dir() else ():
        with contextlib.suppress(FollowUpNotFound, codec.RecordError):
            found.append(load(root, run_id, entry.name))
    return sorted(found, key=lambda each: (each.created_at, each.id), reverse=True)


def begin(root: Path, run_id: str, followup_id: str) -> FollowUp:
    """Count an attempt, unless the follow-up has ended."""

    def begun(now: FollowUp) -> FollowUp:
        return replace(now, state=RunState.RUNNING, started_at=times.now(), attempts=now.attempts + 1)

    return _change(root, run_id, followup_id, lambda now: now if now.state.is_final else begun(now))


def finish(
    root: Path,
    run_id: str,
    followup_id: str,
    state: RunState,
    *,
    result: dict[str, Any] | None = None,
    error: str | None = None,
    fault: str | None = None,
) -> FollowUp:
    """End a follow-up. One that has already ended stays as it ended."""

    def ended(now: FollowUp) -> FollowUp:
        if now.state.is_final:
            return now
        totals.count_followup(root, now.kind, state)
        return replace(now, state=state, result=result, error=error, fault=fault, finished_at=times.now())

    after = _change(root, run_id, followup_id, ended)
    (folder(root, run_id, followup_id) / store.CANCEL).unlink(missing_ok=True)
    _mark_of(root, run_id, followup_id).unlink(missing_ok=True)
    return after


def put_back(root: Path, run_id: str, followup_id: str) -> FollowUp:
    """An interrupted one waits again, at its place in the queue, and the attempt does not count."""

    def back(now: FollowUp) -> FollowUp:
        if now.state is not RunState.RUNNING:
            return now
        return replace(now, state=RunState.QUEUED, attempts=max(now.attempts - 1, 0), started_at=None)

    return _change(root, run_id, followup_id, back)


def cancel(root: Path, run_id: str, followup_id: str) -> FollowUp:
    """End a queued one at once; ask whoever works on a running one to stop. Others stay."""
    now = load(root, run_id, followup_id)
    if now.state is RunState.QUEUED:
        return finish(root, run_id, followup_id, RunState.CANCELLED)
    if now.state is RunState.RUNNING:
        (folder(root, run_id, followup_id) / store.CANCEL).touch()
    return now


def cancel_requested(root: Path, run_id: str, followup_id: str) -> bool:
    return (folder(root, run_id, followup_id) / store.CANCEL).exists()


def remove(root: Path, run_id: str, followup_id: str) -> None:
    """Forget one that has ended. Raises RunIsActive while it has not."""
    if not load(root, run_id, followup_id).state.is_final:
        raise store.RunIsActive(f"Follow-up {followup_id} is not finished: cancel it first.")
    shutil.rmtree(folder(root, run_id, followup_id), ignore_errors=True)


def active(root: Path) -> list[tuple[str, str]]:
    """Run and id of every follow-up that is marked unfinished."""
    marks = root / "runs" / MARKS
    names = sorted(mark.name for mark in marks.iterdir()) if marks.is_dir() else []
    return [(run_id, followup_id) for run_id, _, followup_id in (name.partition(".") for name in names)]


def active_for_s(root: Path, run_id: str, followup_id: str) -> float:
    """For how many seconds it has been marked unfinished; 0 if it is not."""
    try:
        return age_s(_mark_of(root, run_id, followup_id).stat().st_mtime)
    except FileNotFoundError:
        return 0.0


def forget_mark(root: Path, run_id: str, followup_id: str) -> None:
    """Remove the mark of one whose record was never written or cannot be read, or whose run is gone."""
    _mark_of(root, run_id, followup_id).unlink(missing_ok=True)


@contextlib.contextmanager
def holding(root: Path, run_id: str, followup_id: str) -> Iterator[None]:
    """Show while this process lives that it works on the follow-up. Raises BlockingIOError if another one does."""
    with locked(folder(root, run_id, followup_id) / store.HOLDER, within_s=store.LOCK_WITHIN_S):
        yield


def is_held(root: Path, run_id: str, followup_id: str) -> bool:
    return is_locked(folder(root, run_id, followup_id) / store.HOLDER)


def _change(root: Path, run_id: str, followup_id: str, change: Callable[[FollowUp], FollowUp]) -> FollowUp:
    place = folder(root, run_id, followup_id)
    if not place.is_dir():
        raise FollowUpNotFound(f"Run {run_id} has no follow-up {followup_id}.")
    with locked(place / store.LOCK):
        before = load(root, run_id, followup_id)
        after = change(before)
        if after != before:
            _save(root, after)
        return after


def _save(root: Path, followup: FollowUp) -> None:
    write_atomic(folder(root, followup.run, followup.id) / store.RECORD, codec.to_json(followup))


def _mark(root: Path, run_id: str, followup_id: str) -> None:
    mark = _mark_of(root, run_id, followup_id)
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.touch()
    sync_folder(mark.parent)


def _mark_of(root: Path, run_id: str, followup_id: str) -> Path:
    return root / "runs" / MARKS / f"{run_id}.{followup_id}"
