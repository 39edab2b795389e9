"""How far a run is: written by whoever analyses it, read by the pages."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from detection.jobs.control import Interrupt, Interrupted, control
from detection.records import codec, store
from detection.records.files import write_atomic
from detection.records.schema import RunState

WRITE_EVERY_S = 0.2
RATE_KNOWN_AFTER_S = 1.0


@dataclass(frozen=True)
class Step:
    """`media/runs/<id>/progress.json`: frames of one stage. `seconds_left` is None until a rate is known."""

    stage: str
    done: int
    total: int | None
    percent: float | None
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


class Reporter:
    """Given to the pipeline as `progress(stage, done, total)`. Raises Interrupted when the run is to stop."""

    def __init__(self, root: Path, run_id: str) -> None:
        self._root = root
        self._run_id = run_id
        self._path = store.run_dir(root, run_id) / store.PROGRESS
        self._stage: str | None = None
        self._stage_began_s = 0.0
        self._written_s = 0.0

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        control.check()
        now_s = time.monotonic()
        is_new = stage != self._stage
        if is_new:
            self._stage, self._stage_began_s = stage, now_s
        if not is_new and done != total and now_s - self._written_s < WRITE_EVERY_S:
            return
        self._written_s = now_s
        if store.cancel_requested(self._root, self._run_id):
            raise Interrupted(Interrupt.CANCEL)
        step = Step(
            stage=stage,
            done=done,
            total=total,
            percent=round(100 * done / total, 1) if total else None,
            seconds_left=_seconds_left(done, total, now_s - self._stage_began_s),
            updated_at=store.now(),
        )
        write_atomic(self._path, codec.to_json(step), durable=False)


def read_step(root: Path, run_id: str) -> Step | None:
    """The last step that was reported, None if there is none."""
    try:
        data = (store.run_dir(root, run_id) / store.PROGRESS).read_bytes()
        return codec.converter.loads(data, Step)
    except (OSError, ValueError, codec.ValidationError):
        return None


def _seconds_left(done: int, total: int | None, elapsed_s: float) -> float | None:
    if not total or not done or elapsed_s < RATE_KNOWN_AFTER_S:
        return None
    return round(elapsed_s / done * (total - done), 1)
