"""How long each stage took per frame in the runs before: what makes the time left of a whole run known."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from detection.records import codec
from detection.records.files import write_atomic

NEWEST_SHARE = 0.3  # of the mean: a few runs after a change of machine or load it is right again


@dataclass(frozen=True)
class Pace:
    """Seconds per sampled frame, by stage. A stage that is not in it has not been seen yet."""

    seconds_per_frame: Mapping[str, float]

    def seconds(self, stages: Sequence[str], frames: int) -> float | None:
        """How long `stages` will take together; None when one of them is unknown."""
        known = [self.seconds_per_frame.get(stage) for stage in stages]
        return None if None in known else frames * sum(pace for pace in known if pace is not None)

    def shares(self, stages: Sequence[str]) -> dict[str, float]:
        """Which part of a run each stage is; equal parts as long as one of them is unknown."""
        known = {stage: self.seconds_per_frame.get(stage, 0.0) for stage in stages}
        total = sum(known.values())
        if total <= 0.0 or not set(stages) <= self.seconds_per_frame.keys():
            return dict.fromkeys(stages, 1 / len(stages))
        return {stage: seconds / total for stage, seconds in known.items()}

    def after(self, spent_s: Mapping[str, float], frames: int) -> Pace:
        """The pace after one more run, whose stages took `spent_s` for `frames`."""
        mean = dict(self.seconds_per_frame)
        for stage, seconds in spent_s.items():
            new = seconds / frames
            mean[stage] = new + (1 - NEWEST_SHARE) * (mean[stage] - new) if stage in mean else new
        return Pace(mean)


def load(root: Path) -> Pace:
    """What earlier runs taught; nothing, if there is no file or it cannot be read."""
    return codec.read(_path(root), Pace) or Pace({})


def save(root: Path, pace: Pace) -> None:
    """Keep it for the next run and the next process. It can be learned again, so a failure is not worth a run."""
    with contextlib.suppress(OSError):
        _path(root).parent.mkdir(parents=True, exist_ok=True)
        write_atomic(
            _path(root), json.dumps({"seconds_per_frame": dict(pace.seconds_per_frame)}).encode(), durable=False
        )


def _path(root: Path) -> Path:
    return root / "queue" / "pace.json"
