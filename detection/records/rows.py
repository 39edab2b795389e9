"""What the history keeps in memory of each finished run."""

from __future__ import annotations

from sys import intern
from typing import cast

import msgspec

from detection.records.log import LogEntry
from detection.records.schema import Reason, RunState, Verdict


class ModuleResult(msgspec.Struct, frozen=True, gc=False):
    """What one module said of one run."""

    verdict: Verdict
    score: float | None
    reason: Reason | None


class HistoryRow(msgspec.Struct, frozen=True, gc=False):
    """One finished run as the history shows it; the whole is in its record. `search` is what text search reads.

    A struct that the garbage collector need not look at: there may be a hundred thousand of them.
    """

    id: str
    created_at: str
    finished_at: str
    state: RunState
    verdict: Verdict
    score: float | None
    reason: Reason | None
    video_name: str
    sha256: str
    duration_s: float | None
    people: int
    seconds: float
    error: str | None
    modules: dict[str, ModuleResult]
    search: str
    batch: str | None = None


def row_of(entry: LogEntry, module: str, known: HistoryRow | None) -> HistoryRow:
    """The row of a run after one more line of the log; `known` is what the lines before made of it."""
    result = ModuleResult(_one_copy(entry.verdict), entry.score, entry.reason)
    return HistoryRow(
        id=entry.run,
        created_at=entry.created_at,
        finished_at=entry.finished_at,
        state=entry.state,
        verdict=_one_copy(entry.run_verdict),
        score=entry.run_score,
        reason=entry.run_reason,
        video_name=entry.video_name,
        sha256=entry.sha256,
        duration_s=entry.duration_s,
        people=entry.people,
        seconds=entry.seconds,
        error=entry.error,
        modules={**known.modules, module: result} if known else {module: result},
        search=known.search if known else f"{entry.video_name}\n{entry.sha256}\n{entry.run}".casefold(),
        batch=entry.batch,
    )


def row_without(row: HistoryRow, module: str) -> HistoryRow | None:
    """The row after one module's line was taken back; None when none is left."""
    modules = {key: result for key, result in row.modules.items() if key != module}
    return msgspec.structs.replace(row, modules=modules) if modules else None


def _one_copy(verdict: Verdict) -> Verdict:
    return cast(Verdict, intern(verdict))
