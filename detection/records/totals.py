"""What was done here since the installation began, as counters for a monitor: they only grow, whoever counts and
however often a process begins anew. They lie in `media/log/totals.json`.

The history says what there is; this says what happened, deleted runs included. A disk that is full costs a count and
nothing else, and so may a process that is killed between a record and its count.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from detection.records import codec
from detection.records.files import locked, write_atomic


@dataclass(frozen=True)
class Spent:
    """Seconds that a stage took in so many runs together."""

    runs: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Totals:
    """Names of several parts are joined by "/": of `runs` state, verdict and reason, of `followups` kind and state."""

    uploads: int = 0
    upload_bytes: int = 0
    runs: Mapping[str, int] = field(default_factory=dict)
    followups: Mapping[str, int] = field(default_factory=dict)
    stages: Mapping[str, Spent] = field(default_factory=dict)


def load(root: Path) -> Totals:
    """Nothing counted, if there is no file or it cannot be read."""
    return codec.read(_path(root), Totals) or Totals()


def count_upload(root: Path, size_bytes: int) -> None:
    """A file came whole, new or not."""
    _change(root, lambda t: replace(t, uploads=t.uploads + 1, upload_bytes=t.upload_bytes + size_bytes))


def count_run(root: Path, state: str, verdict: str, reason: str) -> None:
    """A run ended; without a result `verdict` and `reason` are empty."""
    _change(root, lambda t: replace(t, runs=_one_more(t.runs, f"{state}/{verdict}/{reason}")))


def count_followup(root: Path, kind: str, state: str) -> None:
    """A follow-up ended."""
    _change(root, lambda t: replace(t, followups=_one_more(t.followups, f"{kind}/{state}")))


def count_stages(root: Path, seconds: Mapping[str, float]) -> None:
    """One run went through these stages."""

    def counted(now: Totals) -> Totals:
        stages = dict(now.stages)
        for stage, took_s in seconds.items():
            before = stages.get(stage, Spent())
            stages[stage] = Spent(before.runs + 1, before.seconds + took_s)
        return replace(now, stages=stages)

    _change(root, counted)


def _one_more(counts: Mapping[str, int], key: str) -> dict[str, int]:
    return {**counts, key: counts.get(key, 0) + 1}


def _change(root: Path, change: Callable[[Totals], Totals]) -> None:
    with contextlib.suppress(OSError):
        _path(root).parent.mkdir(parents=True, exist_ok=True)
        with locked(_path(root).with_name(".totals.lock")):
            write_atomic(_path(root), codec.to_json(change(load(root))), durable=False)


def _path(root: Path) -> Path:
    return root / "log" / "totals.json"
