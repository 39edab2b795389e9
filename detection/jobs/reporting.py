"""How far a run or a follow-up is: written by whoever works on it, read by the pages."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from detection.jobs import pace
from detection.jobs.control import Interrupt, Interrupted, control
from detection.records import codec, store, times, totals
from detection.records.files import write_atomic
from detection.records.lifecycle import PROGRESS
from detection.records.schema import RunState

DECODE = "decode"  # the pipeline's stage that finds the faces; after it each module is one
WRITE_EVERY_S = 0.2
RATE_KNOWN_AFTER_S = 1.0


@dataclass(frozen=True)
class Step:
    """`media/runs/<id>/progress.json`: `done` of `total` frames of one stage.

    `percent` and `seconds_left` are of the whole work; `seconds_left` is None until the rate of every stage is known.
    """

    stage: str
    done: int
    total: int | None
    percent: float
    seconds_left: float | None
    updated_at: str


@dataclass(frozen=True)
class Progress:
    """What a page shows of a run. `position` is 1 for the next in the queue; `step` is None until the first frame."""

    run: str
    state: RunState
    step: Step | None
    position: int | None
    attempts: int
    error: str | None


class StageReporter:
    """Given to long work as `progress(stage, done, total)`, it keeps `path` up to date; the first of `stages` says how
    many frames the work is about. Raises Interrupted when the work is to stop.
    """

    def __init__(self, root: Path, path: Path, stages: Sequence[str], cancel_requested: Callable[[], bool]) -> None:
        self._root = root
        self._path = path
        self._cancel_requested = cancel_requested
        self._stages = tuple(stages)
        self._pace = pace.load(root)
        self._shares = self._pace.shares(self._stages)
        self._stage: str | None = None
        self._stage_began_s = 0.0
        self._written_s = 0.0
        self._frames = 0
        self._percent = 0.0
        self._spent_s = dict.fromkeys(self._stages, 0.0)  # a module that is not available takes no time

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        control.check()
        now_s = time.monotonic()
        is_new = stage != self._stage
        if is_new:
            self._leave_stage(now_s)
            self._stage, self._stage_began_s = stage, now_s
        if stage == self._stages[0]:
            self._frames = total or 0
        if not is_new and done != total and now_s - self._written_s < WRITE_EVERY_S:
            return
        self._written_s = now_s
        if self._cancel_requested():
            raise Interrupted(Interrupt.CANCEL)
        step = Step(
            stage=stage,
            done=done,
            total=total,
            percent=self._percent_of_run(stage, done, total),
            seconds_left=self._seconds_left(stage, done, total, now_s - self._stage_began_s),
            updated_at=times.now(),
        )
        write_atomic(self._path, codec.to_json(step), durable=False)

    def finished(self) -> None:
        """The work came to its end: learn from how long its stages took."""
        self._leave_stage(time.monotonic())
        totals.count_stages(self._root, {stage: spent for stage, spent in self._spent_s.items() if spent})
        if self._frames and any(self._spent_s[stage] for stage in self._stages[1:]):  # else there was no face to judge
            pace.save(self._root, self._pace.after(self._spent_s, self._frames))

    def _leave_stage(self, now_s: float) -> None:
        if self._stage in self._spent_s:
            self._spent_s[self._stage] += now_s - self._stage_began_s

    def _percent_of_run(self, stage: str, done: int, total: int | None) -> float:
        """Never less than before, whatever the stages turn out to be."""
        if stage in self._shares:
            before = sum(self._shares[earlier] for earlier in self._before(stage))
            share = before + self._shares[stage] * (done / total if total else 0.0)
            self._percent = max(self._percent, round(100 * share, 1))
        return self._percent

    def _seconds_left(self, stage: str, done: int, total: int | None, elapsed_s: float) -> float | None:
        """Of the whole run: this stage at the rate that it has, the later ones at the rate that they had before."""
        if stage not in self._stages or not total:
            return None
        later_s = self._pace.seconds(self._stages[len(self._before(stage)) + 1 :], self._frames)
        if done and elapsed_s >= RATE_KNOWN_AFTER_S:
            this_s: float | None = elapsed_s / done * (total - done)
        else:
            expected_s = self._pace.seconds([stage], self._frames)
            this_s = None if expected_s is None else max(expected_s - elapsed_s, 0.0)
        return None if this_s is None or later_s is None else round(this_s + later_s, 1)

    def _before(self, stage: str) -> tuple[str, ...]:
        return self._stages[: self._stages.index(stage)]


class Reporter(StageReporter):
    """Given to the pipeline: the progress of a run through `modules`."""

    def __init__(self, root: Path, run_id: str, modules: Sequence[str]) -> None:
        path = store.run_dir(root, run_id) / PROGRESS
        super().__init__(root, path, (DECODE, *modules), store.life_of(root, run_id).cancel_requested)


def read_step(path: Path) -> Step | None:
    """The last step that was reported to a `progress.json`, None if there is none."""
    return codec.read(path, Step)
