"""Evaluations: labelled clips that the detectors are measured on, and what came out.

`media/evaluations/<id>/record.json` is the truth about one, `result.json` beside it what was found. There are few of
them, so whatever a crash leaves unfinished is found by reading the records (see `detection.jobs.recovery`).
"""

from __future__ import annotations

import contextlib
import shutil
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from detection.records import codec, store, times
from detection.records.labelled import FOLDER, Label
from detection.records.lifecycle import Lifecycle
from detection.records.schema import RunState

RESULT = "result.json"


class EvaluationNotFound(Exception):
    """There is no evaluation of that id."""


class EvaluationIsActive(Exception):
    """The evaluation is waiting or running: cancel it first."""


@dataclass(frozen=True)
class EvaluatedClip:
    """One clip. `path` is relative to media/ for an upload, absolute for a file of a folder of this machine."""

    path: str
    name: str
    label: Label
    method: str | None = None
    pair: str | None = None
    group: str | None = None


@dataclass(frozen=True)
class Headline:
    """The one figure that a list shows: the AUC of the last judge with its interval; None where it is not defined."""

    judge: str
    auc: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class EvaluationRecord:
    """One evaluation. `done` counts the clips that were analysed. Times are ISO 8601 in UTC."""

    id: str
    name: str
    created_at: str
    modules: tuple[str, ...]
    clips: tuple[EvaluatedClip, ...]
    state: RunState = RunState.QUEUED
    done: int = 0
    started_at: str | None = None
    finished_at: str | None = None
    headline: Headline | None = None
    error: str | None = None

    def count(self, label: Label) -> int:
        return sum(clip.label == label for clip in self.clips)


def folder(root: Path, evaluation_id: str) -> Path:
    """Where an evaluation is recorded, whether or not it exists. Raises EvaluationNotFound for what is no id."""
    if not store.RUN_ID.fullmatch(evaluation_id):
        raise EvaluationNotFound(f"{evaluation_id!r} is not the id of an evaluation.")
    return root / FOLDER / evaluation_id


def create(root: Path, name: str, modules: tuple[str, ...], clips: tuple[EvaluatedClip, ...]) -> EvaluationRecord:
    """A new one, which waits; recorded before this returns."""
    created = times.now()
    record = EvaluationRecord(store.id_of(created), name, created, modules, clips)
    life_of(root, record.id).admit(record)
    return record


def life_of(root: Path, evaluation_id: str) -> Lifecycle[EvaluationRecord]:
    """The evaluation as one piece of work. Raises EvaluationNotFound for what is no id."""
    return Lifecycle(
        folder=folder(root, evaluation_id),
        parse=partial(codec.from_json, kind=EvaluationRecord),
        missing=EvaluationNotFound(f"There is no evaluation {evaluation_id}."),
        way_out="Evaluate anew.",
    )


def load(root: Path, evaluation_id: str) -> EvaluationRecord:
    """Raises EvaluationNotFound, RecordError."""
    return life_of(root, evaluation_id).load()


def every(root: Path) -> list[EvaluationRecord]:
    """All evaluations, the latest first; what cannot be read is left out."""
    place = root / FOLDER
    found = []
    for entry in place.iterdir() if place.is_dir() else ():
        with contextlib.suppress(EvaluationNotFound, codec.RecordError):
            found.append(load(root, entry.name))
    return sorted(found, key=lambda record: record.id, reverse=True)


def begin(root: Path, evaluation_id: str) -> EvaluationRecord:
    """Somebody works on it now, unless it has ended."""

    def begun(now: EvaluationRecord) -> EvaluationRecord:
        return replace(now, state=RunState.RUNNING, started_at=now.started_at or times.now())

    return life_of(root, evaluation_id).advance(begun)


def put_back(root: Path, evaluation_id: str, *, done: int | None = None) -> EvaluationRecord:
    """It waits again, with `done` clips behind it (as many as before, if not given)."""

    def back(now: EvaluationRecord) -> EvaluationRecord:
        return replace(now, state=RunState.QUEUED, done=now.done if done is None else done)

    return life_of(root, evaluation_id).advance(back)


def finish(
    root: Path,
    evaluation_id: str,
    state: RunState,
    *,
    headline: Headline | None = None,
    error: str | None = None,
) -> EvaluationRecord:
    """End it. One that has already ended stays as it ended."""
    return life_of(root, evaluation_id).finish(state, headline=headline, error=error)


def reopen(root: Path, evaluation_id: str) -> tuple[EvaluationRecord, bool]:
    """One that failed or was cancelled waits again, from its beginning; whether it was one of those."""
    life = life_of(root, evaluation_id)
    with life.locked() as record:
        if record.state not in (RunState.FAILED, RunState.CANCELLED):
            return record, False
        again = replace(record, state=RunState.QUEUED, done=0, error=None, started_at=None, finished_at=None)
        life.admit(again)
        return again, True


def delete(root: Path, evaluation_id: str) -> None:
    """Forget one that has ended; the clips stay. Raises EvaluationNotFound, EvaluationIsActive, RecordError."""
    life = life_of(root, evaluation_id)
    with life.locked() as record:
        if not record.state.is_final:
            raise EvaluationIsActive(f"Evaluation {evaluation_id} is not finished: cancel it first.")
        shutil.rmtree(life.folder, ignore_errors=True)
