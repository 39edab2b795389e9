"""Follow-ups: work that is done on a finished run when somebody asks for it, such as relighting its video.

`media/runs/<run>/followups/<id>/record.json` is the truth about one. As with runs, an empty mark
(`media/runs/.followups/<run>.<id>`) is set before the record exists and removed after it has ended, so that whatever a
crash leaves behind is found again by looking at the marks alone (see `detection.jobs.recovery`).
"""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from detection.records import codec, store, times, totals
from detection.records.lifecycle import CountedLifecycle, lock_of
from detection.records.schema import RunState

Kind = Literal["relight", "changed_light"]

ID = re.compile(r"[0-9a-f]{24}")
FOLDER = "followups"  # below the run
MARKS = ".followups"  # below runs/
MARK = re.compile(rf"({store.RUN_ID.pattern})\.({ID.pattern})")


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
    life = life_of(root, run_id, followup_id)
    life.folder.mkdir(parents=True, exist_ok=True)
    with lock_of(life.folder, life.missing):
        try:
            known = life.load()
        except (FollowUpNotFound, codec.RecordError):
            known = None
        if known is not None and (is_whole(known) if known.state is RunState.DONE else not known.state.is_final):
            return known, False
        now = times.now()
        created = known.created_at if known else now
        queued = FollowUp(run_id, followup_id, kind, wanted, created_at=created, queued_at=now)
        life.admit(queued)
        return queued, True


def life_of(root: Path, run_id: str, followup_id: str) -> CountedLifecycle[FollowUp]:
    """The follow-up as one piece of work. Raises RunNotFound, FollowUpNotFound for what is no id."""
    return CountedLifecycle(
        folder=folder(root, run_id, followup_id),
        parse=partial(codec.from_json, kind=FollowUp),
        missing=FollowUpNotFound(f"Run {run_id} has no follow-up {followup_id}."),
        way_out="Ask for the same again.",
        mark=root / "runs" / MARKS / f"{run_id}.{followup_id}",
        conclude=partial(_conclude, root),
    )


def _conclude(root: Path, followup: FollowUp, is_new: bool) -> None:
    if is_new:
        totals.count_followup(root, followup.kind, followup.state)


def load(root: Path, run_id: str, followup_id: str) -> FollowUp:
    """Raises RunNotFound, FollowUpNotFound, RecordError."""
    return life_of(root, run_id, followup_id).load()


def of_run(root: Path, run_id: str) -> list[FollowUp]:
    """All follow-ups of a run, the latest first; what cannot be read is left out. Raises RunNotFound."""
    place = store.run_dir(root, run_id) / FOLDER
    found = []
    for entry in place.iterdir() if place.is_dir() else ():
        with contextlib.suppress(FollowUpNotFound, codec.RecordError):
            found.append(load(root, run_id, entry.name))
    return sorted(found, key=lambda each: (each.created_at, each.id), reverse=True)


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
    return life_of(root, run_id, followup_id).finish(state, result=result, error=error, fault=fault)


def remove(root: Path, run_id: str, followup_id: str) -> None:
    """Forget one that has ended. Raises RunIsActive while it has not."""
    life = life_of(root, run_id, followup_id)
    with life.locked() as followup:
        if not followup.state.is_final:
            raise store.RunIsActive(f"Follow-up {followup_id} is not finished: cancel it first.")
        shutil.rmtree(life.folder, ignore_errors=True)


def active(root: Path) -> list[tuple[str, str]]:
    """Run and id of every follow-up that is marked unfinished."""
    marks = root / "runs" / MARKS
    found = (MARK.fullmatch(mark.name) for mark in marks.iterdir()) if marks.is_dir() else ()
    return sorted((mark[1], mark[2]) for mark in found if mark)
