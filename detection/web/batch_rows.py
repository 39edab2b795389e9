"""The runs of a batch as rows of its table, finished or not; and which of them are shown, in what order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from detection.jobs.batches import Batch
from detection.modules import MODULES
from detection.records.rows import HistoryRow, ModuleResult
from detection.records.schema import Reason, RunRecord, RunState, Verdict
from detection.web.api_schema import RunProgress
from detection.web.following import runs_progress
from detection.web.namesakes import namesakes

Shown = Literal["fake", "uncertain", "real", "no_result", "failed", "cancelled", "unfinished"]


@dataclass(frozen=True)
class BatchRow:
    """One run. `progress` is there until it has ended; verdict and scores once it was analysed."""

    id: str
    video_name: str
    sha256: str
    state: RunState
    progress: RunProgress | None = None
    verdict: Verdict | None = None
    score: float | None = None
    reason: Reason | None = None
    modules: dict[str, ModuleResult] = field(default_factory=dict)
    duration_s: float | None = None
    error: str | None = None

    @property
    def kind(self) -> Shown:
        """What it counts as in the totals."""
        if self.state is RunState.DONE:
            return self.verdict or "no_result"
        if self.state is RunState.FAILED:
            return "failed"
        return "cancelled" if self.state is RunState.CANCELLED else "unfinished"

    @property
    def can_retry(self) -> bool:
        return self.state in (RunState.FAILED, RunState.CANCELLED)


@dataclass(frozen=True)
class Choice:
    """Which rows of a batch are wanted, and how they are sorted: by "started", a property, or a module's key."""

    text: str = ""
    show: str = ""
    sort: str = ""

    def apply(self, rows: Iterable[BatchRow]) -> list[BatchRow]:
        text = self.text.casefold()
        found = [row for row in rows if text in f"{row.video_name}\n{row.sha256}\n{row.id}".casefold()]
        if self.show:
            found = [row for row in found if row.kind == self.show]
        found.sort(key=lambda row: row.id)
        by = self.sort.removeprefix("-")
        having = [row for row in found if _value(row, by) is not None]
        lacking = [row for row in found if _value(row, by) is None]  # last, whichever way the others go
        having.sort(key=lambda row: _value(row, by), reverse=self.sort.startswith("-"))
        return having + lacking


SORTS = ("started", "name", "state", "length", "score", *MODULES)


def _value(row: BatchRow, by: str) -> Any:
    if by in MODULES:
        result = row.modules.get(by)
        return result.score if result else None
    values = {
        "name": row.video_name.casefold(),
        "state": (row.state is not RunState.RUNNING, row.state),
        "length": row.duration_s,
        "score": row.score,
    }
    return values.get(by, row.id)


def rows_of(batch: Batch) -> list[BatchRow]:
    """All of them. How far they are is asked once for all."""
    progress = {each.id: each for each in runs_progress([run.id for run in batch.active])}
    unfinished = [_unfinished(run, progress.get(run.id)) for run in batch.active]
    return unfinished + [finished_row(row) for row in batch.finished]


def namesakes_of(batch: Batch) -> frozenset[str]:
    """Among all runs of the batch, so that a row looks the same whichever others are shown."""
    return namesakes([*batch.active, *batch.finished])


def finished_row(row: HistoryRow) -> BatchRow:
    is_done = row.state is RunState.DONE
    return BatchRow(
        id=row.id,
        video_name=row.video_name,
        sha256=row.sha256,
        state=row.state,
        verdict=row.verdict if is_done else None,
        score=row.score,
        reason=row.reason,
        modules=row.modules if is_done else {},
        duration_s=row.duration_s,
        error=row.error,
    )


def _unfinished(run: RunRecord, progress: RunProgress | None) -> BatchRow:
    length_s = run.video.duration_s if run.video else None
    return BatchRow(run.id, run.video_name, run.sha256, run.state, progress, duration_s=length_s)


def totals(batch: Batch) -> dict[str, int]:
    """How many runs are of each kind."""
    states = batch.states
    counts: dict[str, int] = {
        verdict: batch.verdicts[verdict] for verdict in ("fake", "uncertain", "real", "no_result")
    }
    counts |= {state.value: states[state] for state in (RunState.FAILED, RunState.CANCELLED)}
    return counts | {"unfinished": len(batch.active)}
