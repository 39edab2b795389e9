"""The work of an evaluation: one clip per job, so that a video that somebody waits for need not wait for all of them,
and each clip has the limits of one video. The outcomes are kept as `manage.py evaluate` keeps them.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from django.conf import settings

from detection.jobs import limits, pace
from detection.jobs.control import Interrupt, Interrupted, control
from detection.jobs.reporting import DECODE, WRITE_EVERY_S
from detection.records import codec, evaluations
from detection.records.evaluations import EvaluatedClip, EvaluationRecord, Headline
from detection.records.files import write_atomic
from detection.records.lifecycle import PROGRESS
from detection.records.schema import RunState

if TYPE_CHECKING:
    from detection.evaluation.run import Row, Step
    from detection.evaluation.summary import Evaluation

CACHE = "evaluation"  # below media/; the command's, too


@dataclass(frozen=True)
class ClipStep:
    """`progress.json` of an evaluation: which clip, and how far. `percent` is of the whole evaluation."""

    clip: str
    stage: str
    done: int
    total: int
    percent: float


@dataclass(frozen=True)
class EvaluationExecution:
    """One evaluation while a process works on it. The process holds it from before `begin` to the end."""

    root: Path
    id: str

    def begin(self) -> EvaluationRecord:
        return evaluations.begin(self.root, self.id)

    def do(self, record: EvaluationRecord) -> EvaluationRecord:
        """Analyse the next clip, or when there is none sum up. Raises what ended it otherwise than in order."""
        try:
            with limits.refusal_of_memory():
                if record.done == len(record.clips):
                    return self._sum_up(record)
                for _ in self._rows(record, record.clips[record.done : record.done + 1]):
                    pass  # what came out is kept in the cache
            return evaluations.put_back(self.root, self.id, done=record.done + 1)
        except Interrupted as interruption:
            self.settle(interruption.why)
            raise
        except FileNotFoundError as error:
            return self._finish(RunState.FAILED, _missing(record, error))
        except Exception as error:
            self._finish(RunState.FAILED, str(error) or type(error).__name__)
            raise

    def _rows(self, record: EvaluationRecord, clips: Iterable[EvaluatedClip]) -> Iterable[Row]:
        from detection.evaluation.folders import Clip
        from detection.evaluation.run import run
        from detection.inference import session
        from detection.pipeline import Options

        session.configure(device=cast("session.Device", settings.DEEPFAKE_DEVICE), threads=settings.DEEPFAKE_THREADS)
        named = [Clip(self.root / c.path, c.name, c.label, c.method, c.pair, c.group) for c in clips]
        options = Options(max_duration_s=settings.DEEPFAKE_MAX_DURATION_S)
        return run(named, record.modules, _Reporter(self.root, record), cache_dir=self.root / CACHE, options=options)

    def _sum_up(self, record: EvaluationRecord) -> EvaluationRecord:
        from detection.evaluation.run import judges_of
        from detection.evaluation.summary import summarise
        from detection.pipeline import versions

        rows = []
        for row in self._rows(record, record.clips):  # all are known, unless the program was changed meanwhile
            control.check()
            rows.append(row)
        found = summarise(record.name, judges_of(record.modules), rows, {}, versions())
        write_atomic(evaluations.folder(self.root, self.id) / evaluations.RESULT, codec.to_json(found))
        return evaluations.finish(self.root, self.id, RunState.DONE, headline=_headline(found))

    def _finish(self, state: RunState, error: str | None = None) -> EvaluationRecord:
        return evaluations.finish(self.root, self.id, state, error=error)

    def cancel_requested(self) -> bool:
        return evaluations.life_of(self.root, self.id).cancel_requested()

    def settle(self, why: Interrupt) -> None:
        """Write down an interruption; one that has ended meanwhile stays as it ended."""
        if why is Interrupt.CANCEL:
            self._finish(RunState.CANCELLED)
        elif (excess := limits.excess(why)) is not None:
            self._finish(RunState.FAILED, f"{clip_in_hand(self.root, self.id)} took {excess}. {WAY_OUT}")
        else:
            evaluations.put_back(self.root, self.id)


WAY_OUT = "Take it out of the lists and evaluate anew: what was analysed is not analysed again."


def clip_in_hand(root: Path, evaluation_id: str) -> str:
    """The name of the clip that is, or was last, worked on."""
    record = evaluations.load(root, evaluation_id)
    return record.clips[record.done].name if record.done < len(record.clips) else "Summing up"


def read_step(root: Path, evaluation_id: str) -> ClipStep | None:
    """The last step that was reported, None if there is none."""
    return codec.read(evaluations.folder(root, evaluation_id) / PROGRESS, ClipStep)


class _Reporter:
    """Given to the evaluation as `progress(step)`. Raises Interrupted when the work is to stop."""

    def __init__(self, root: Path, record: EvaluationRecord) -> None:
        self._record = record
        self._life = evaluations.life_of(root, record.id)
        self._path = self._life.folder / PROGRESS
        self._stages = (DECODE, *record.modules)
        self._shares = pace.load(root).shares(self._stages)
        self._written_s = 0.0
        self._clip_share = 0.0

    def __call__(self, step: Step) -> None:
        control.check()
        if step.stage in self._stages:
            before = sum(self._shares[stage] for stage in self._stages[: self._stages.index(step.stage)])
            share = self._shares[step.stage] * (step.done / step.total if step.total else 0.0)
            self._clip_share = max(self._clip_share, before + share)
        now_s = time.monotonic()
        if now_s - self._written_s < WRITE_EVERY_S:
            return
        self._written_s = now_s
        if self._life.cancel_requested():
            raise Interrupted(Interrupt.CANCEL)
        percent = 100 * (self._record.done + min(self._clip_share, 1.0)) / len(self._record.clips)
        shown = ClipStep(step.clip.name, step.stage, step.done, step.total, round(min(percent, 100.0), 1))
        write_atomic(self._path, codec.to_json(shown), durable=False)


def _headline(found: Evaluation) -> Headline | None:
    if not found.judges:
        return None
    last = found.judges[-1]
    figure = last.figures["auc"]
    return Headline(last.judge, figure.value, figure.low, figure.high)


def _missing(record: EvaluationRecord, error: FileNotFoundError) -> str:
    """Names the clip as it was called when it came, where the file is one of them."""
    names = [clip.name for clip in record.clips if Path(str(error.filename)).name == Path(clip.path).name]
    return f"{names[0] if names else error} is not there any more. Add it again, or evaluate without it."
