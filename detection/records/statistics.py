"""The history in figures, kept up to date row by row."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from detection.records.rows import HistoryRow, ModuleResult
from detection.records.schema import Reason, RunState, Verdict

SCORE_BINS = 20


@dataclass(frozen=True)
class Counts:
    """What came out of a number of runs. `scores` counts those with a score in SCORE_BINS equal bins from 0 to 1."""

    runs: int
    verdicts: dict[Verdict, int]
    reasons: dict[Reason, int]
    scores: tuple[int, ...]


@dataclass(frozen=True)
class Statistics:
    """The history in figures: of the runs as a whole, of each module, and by day (UTC, `2026-11-22`) of creation.

    Runs that failed or were cancelled count in `states` alone: they have no verdict.
    """

    total: Counts
    modules: dict[str, Counts]
    days: dict[str, dict[Verdict, int]]
    states: dict[RunState, int]
    video_seconds: float
    analysis_seconds: float


class Tally:
    """Statistics that rows can be added to and taken from. Not safe to use from several threads."""

    def __init__(self) -> None:
        self._total = _Tally()
        self._modules: dict[str, _Tally] = {}
        self._days: Counter[tuple[str, Verdict]] = Counter()
        self._states: Counter[RunState] = Counter()
        self._video_seconds = self._analysis_seconds = 0.0

    def add(self, row: HistoryRow, times: int = 1) -> None:
        """Count a row; with `times` of -1, take it out again."""
        self._states[row.state] += times
        if row.state is not RunState.DONE:
            return
        self._total.add(row, times)
        self._days[row.created_at[:10], row.verdict] += times
        self._video_seconds += times * (row.duration_s or 0.0)
        self._analysis_seconds += times * row.seconds
        for key, result in row.modules.items():
            if key not in self._modules:
                self._modules[key] = _Tally()
            self._modules[key].add(result, times)

    def statistics(self) -> Statistics:
        """The figures as of now."""
        days: dict[str, dict[Verdict, int]] = {}
        for (day, verdict), runs in sorted(self._days.items(), reverse=True):
            if runs:
                days.setdefault(day, {})[verdict] = runs
        return Statistics(
            total=self._total.counts(),
            modules={key: tally.counts() for key, tally in sorted(self._modules.items()) if tally.counts().runs},
            days=days,
            states={state: runs for state, runs in self._states.items() if runs},
            video_seconds=self._video_seconds,
            analysis_seconds=self._analysis_seconds,
        )


@dataclass
class _Tally:
    verdicts: Counter[Verdict] = field(default_factory=Counter)
    reasons: Counter[Reason] = field(default_factory=Counter)
    scores: list[int] = field(default_factory=lambda: [0] * SCORE_BINS)

    def add(self, result: HistoryRow | ModuleResult, times: int) -> None:
        self.verdicts[result.verdict] += times
        if result.reason is not None:
            self.reasons[result.reason] += times
        if result.score is not None:
            self.scores[min(int(result.score * SCORE_BINS), SCORE_BINS - 1)] += times

    def counts(self) -> Counts:
        verdicts = {verdict: runs for verdict, runs in self.verdicts.items() if runs}
        reasons = {reason: runs for reason, runs in self.reasons.items() if runs}
        return Counts(sum(verdicts.values()), verdicts, reasons, tuple(self.scores))
