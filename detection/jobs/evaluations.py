"""What the pages do with evaluations: start, follow, cancel, try again, delete, read.

All functions work on `settings.MEDIA_ROOT`. Each raises EvaluationNotFound for what is not there, and may raise
RecordError, and OSError when media/ cannot be used.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from detection.jobs.evaluation_work import ClipStep, read_step
from detection.jobs.queue import QueueUnreachable
from detection.jobs.runs import media_root
from detection.jobs.tasks import do_evaluation
from detection.records import codec, evaluations, labelled
from detection.records.evaluations import EvaluatedClip, EvaluationRecord
from detection.records.schema import RunState

if TYPE_CHECKING:
    from detection.evaluation.summary import Evaluation

logger = logging.getLogger(__name__)


class NotEnoughClips(Exception):
    """Figures need clips of both kinds."""


@dataclass(frozen=True)
class EvaluationProgress:
    """What a page shows of an evaluation. `step` is None while no clip of it is being analysed."""

    record: EvaluationRecord
    step: ClipStep | None

    @property
    def percent(self) -> float:
        done = round(100 * self.record.done / len(self.record.clips), 1)
        return max(done, self.step.percent) if self.step else done

    @property
    def seconds_left(self) -> float | None:
        """At the pace so far, with the time that other work took in between; None until a clip is done."""
        record = self.record
        if record.state.is_final or not record.done or record.started_at is None:
            return None
        spent = datetime.now(UTC) - datetime.fromisoformat(record.started_at)
        return spent.total_seconds() * (100 / self.percent - 1)


def start(name: str, modules: Sequence[str]) -> EvaluationRecord:
    """Queue the evaluation of the labelled clips as they are now. Raises NotEnoughClips."""
    clips = tuple(
        EvaluatedClip(
            each.upload.path, each.upload.name, each.said.label, each.said.method or None, each.said.pair or None
        )
        for each in labelled.labelled(media_root())
    )
    return _start(name, modules, clips)


def start_on_folder(folder: Path, name: str, modules: Sequence[str]) -> EvaluationRecord:
    """Queue the evaluation of `folder`/real and `folder`/fake on this machine. Raises FolderError, NotEnoughClips."""
    from detection.evaluation.folders import read_folder

    clips = tuple(
        EvaluatedClip(str(clip.path.resolve()), clip.name, clip.label, clip.method, clip.pair, clip.group)
        for clip in read_folder(folder)
    )
    return _start(name, modules, clips)


def progress(evaluation_id: str) -> EvaluationProgress:
    return _progress(evaluations.load(media_root(), evaluation_id))


def every() -> list[EvaluationProgress]:
    """All of them, the latest first."""
    return [_progress(record) for record in evaluations.every(media_root())]


def result(evaluation_id: str) -> Evaluation:
    """What was found. Raises EvaluationNotFound while there is nothing."""
    from detection.evaluation.summary import Evaluation

    path = evaluations.folder(media_root(), evaluation_id) / evaluations.RESULT
    try:
        return codec.converter.loads(path.read_bytes(), Evaluation)
    except FileNotFoundError:
        raise evaluations.EvaluationNotFound(f"Evaluation {evaluation_id} has no result.") from None
    except (ValueError, codec.ValidationError) as error:
        raise codec.RecordError(f"{path} cannot be read: {error}. Evaluate anew.") from error


def cancel(evaluation_id: str) -> EvaluationRecord:
    """End a waiting one at once, a running one at its next step; others stay."""
    return evaluations.life_of(media_root(), evaluation_id).cancel()


def retry(evaluation_id: str) -> EvaluationRecord:
    """Queue one again that failed or was cancelled; others stay. What was analysed is not analysed again."""
    record, is_waiting = evaluations.reopen(media_root(), evaluation_id)
    if is_waiting:
        _enqueue(evaluation_id)
    return record


def delete(evaluation_id: str) -> None:
    """Forget one that has ended; the clips stay. Raises EvaluationIsActive."""
    evaluations.delete(media_root(), evaluation_id)


def _start(name: str, modules: Sequence[str], clips: tuple[EvaluatedClip, ...]) -> EvaluationRecord:
    if {clip.label for clip in clips} != {"fake", "real"}:
        raise NotEnoughClips("Figures need genuine and forged clips: add some to both lists.")
    record = evaluations.create(media_root(), name, tuple(modules), clips)
    _enqueue(record.id)
    return record


def _enqueue(evaluation_id: str) -> None:
    """The record says that it waits: if the queue cannot be told now, a worker that finds it so tells it later."""
    try:
        do_evaluation.enqueue(evaluation_id)
    except QueueUnreachable:
        logger.exception("Evaluation %s is recorded, but not queued yet.", evaluation_id)


def _progress(record: EvaluationRecord) -> EvaluationProgress:
    return EvaluationProgress(record, read_step(media_root(), record.id) if record.state is RunState.RUNNING else None)
