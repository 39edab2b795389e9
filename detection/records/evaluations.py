"""Evaluations: labelled clips that the detectors are measured on, and what came out.

`media/evaluations/<id>/record.json` is the truth about one, `result.json` beside it what was found. There are few of
them, so whatever a crash leaves unfinished is found by reading the records (see `detection.jobs.recovery`).
"""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from detection.records import codec, store, times
from detection.records.files import age_s, is_locked, locked, sync_folder, write_atomic
from detection.records.labelled import FOLDER, Label
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
    place = folder(root, record.id)
    place.mkdir(parents=True)
    _save(root, record)
    sync_folder(place.parent)
    return record


def load(root: Path, evaluation_id: str) -> EvaluationRecord:
    """Raises EvaluationNotFound, RecordError."""
    path = folder(root, evaluation_id) / store.RECORD
    try:
        return codec.converter.structure(json.loads(path.read_bytes()), EvaluationRecord)
    except (FileNotFoundError, NotADirectoryError):
        raise EvaluationNotFound(f"There is no evaluation {evaluation_id}.") from None
    except (ValueError, TypeError, codec.ValidationError) as error:
        raise codec.RecordError(f"{path} cannot be read: {error}. Evaluate anew.") from error


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

    return _change(root, evaluation_id, begun)


def put_back(root: Path, evaluation_id: str, *, done: int | None = None) -> EvaluationRecord:
    """It waits again, with `done` clips behind it (as many as before, if not given)."""

    def back(now: EvaluationRecord) -> EvaluationRecord:
        return replace(now, state=RunState.QUEUED, done=now.done if done is None else done)

    return _change(root, evaluation_id, back)


def finish(
    root: Path,
    evaluation_id: str,
    state: RunState,
    *,
    headline: Headline | None = None,
    error: str | None = None,
) -> EvaluationRecord:
    """End it. One that has already ended stays as it ended."""

    def ended(now: EvaluationRecord) -> EvaluationRecord:
        done = len(now.clips) if state is RunState.DONE else now.done
        return replace(now, state=state, done=done, headline=headline, error=error, finished_at=times.now())

    after = _change(root, evaluation_id, ended)
    (folder(root, evaluation_id) / store.CANCEL).unlink(missing_ok=True)
    return after


def cancel(root: Path, evaluation_id: str) -> EvaluationRecord:
    """End a waiting one at once; ask whoever works on a running one to stop. Others stay."""
    now = load(root, evaluation_id)
    if now.state is RunState.QUEUED:
        return finish(root, evaluation_id, RunState.CANCELLED)
    if now.state is RunState.RUNNING:
        (folder(root, evaluation_id) / store.CANCEL).touch()
    return now


def unchanged_for_s(root: Path, evaluation_id: str) -> float:
    """For how many seconds its record has been as it is; 0 if it is gone."""
    try:
        return age_s((folder(root, evaluation_id) / store.RECORD).stat().st_mtime)
    except FileNotFoundError:
        return 0.0


def cancel_requested(root: Path, evaluation_id: str) -> bool:
    return (folder(root, evaluation_id) / store.CANCEL).exists()


def reopen(root: Path, evaluation_id: str) -> tuple[EvaluationRecord, bool]:
    """One that failed or was cancelled waits again, from its beginning; whether it was one of those."""
    reopened = False

    def again(now: EvaluationRecord) -> EvaluationRecord:
        nonlocal reopened
        reopened = now.state in (RunState.FAILED, RunState.CANCELLED)
        if not reopened:
            return now
        (folder(root, evaluation_id) / store.CANCEL).unlink(missing_ok=True)  # somebody cancelled it as it was ending
        return replace(now, state=RunState.QUEUED, done=0, error=None, started_at=None, finished_at=None)

    return _change(root, evaluation_id, again, final_too=True), reopened


def delete(root: Path, evaluation_id: str) -> None:
    """Forget one that has ended; the clips stay. Raises EvaluationNotFound, EvaluationIsActive, RecordError."""
    if not load(root, evaluation_id).state.is_final:
        raise EvaluationIsActive(f"Evaluation {evaluation_id} is not finished: cancel it first.")
    shutil.rmtree(folder(root, evaluation_id), ignore_errors=True)


@contextlib.contextmanager
def holding(root: Path, evaluation_id: str) -> Iterator[None]:
    """Show while this process lives that it works on it. Raises BlockingIOError if another one does."""
    with locked(folder(root, evaluation_id) / store.HOLDER, within_s=store.LOCK_WITHIN_S):
        yield


def is_held(root: Path, evaluation_id: str) -> bool:
    return is_locked(folder(root, evaluation_id) / store.HOLDER)


def _change(
    root: Path,
    evaluation_id: str,
    change: Callable[[EvaluationRecord], EvaluationRecord],
    *,
    final_too: bool = False,
) -> EvaluationRecord:
    """Apply `change` to one that has not ended (with `final_too` to any) while nobody else changes it."""
    place = folder(root, evaluation_id)
    if not place.is_dir():
        raise EvaluationNotFound(f"There is no evaluation {evaluation_id}.")
    with locked(place / store.LOCK):
        before = load(root, evaluation_id)
        after = before if before.state.is_final and not final_too else change(before)
        if after != before:
            _save(root, after)
        return after


def _save(root: Path, record: EvaluationRecord) -> None:
    write_atomic(folder(root, record.id) / store.RECORD, codec.to_json(record))
