"""The history in figures, kept up to date row by row: a tally for each day, summed up for the days asked for."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TypeVar

from detection.records.rows import HistoryRow, ModuleResult
from detection.records.schema import Reason, RunState, Verdict

SCORE_BINS = 20
ERROR_LIMIT = 200  # letters of an error, with its numbers left out, by which errors are told apart
Key = TypeVar("Key")

NUMBER = re.compile(r"\d[\d.,]*")


@dataclass(frozen=True)
class Counts:
    """What came out of a number of runs. `scores` counts those with a score in SCORE_BINS equal bins from 0 to 1,
    `days` the verdicts by day.
    """

    runs: int
    verdicts: dict[Verdict, int]
    reasons: dict[Reason, int]
    scores: tuple[int, ...]
    days: dict[str, dict[Verdict, int]]


@dataclass(frozen=True)
class Statistics:
    """The history in figures: of the runs as a whole, and of each module. Days are those of creation (UTC,
    `2026-11-22`), the latest first.

    Runs that failed or were cancelled count in `states` alone, as they have no verdict; `errors` are the words in which
    runs failed, the most frequent first, a number being written as `…`.
    """

    total: Counts
    modules: dict[str, Counts]
    states: dict[RunState, int]
    errors: dict[str, int]
    video_seconds: float
    analysis_seconds: float

    @property
    def days(self) -> dict[str, dict[Verdict, int]]:
        """The verdicts of the runs as a whole, by day."""
        return self.total.days


class Tally:
    """Statistics that rows can be added to and taken from. Not safe to use from several threads."""

    def __init__(self) -> None:
        self._days: dict[str, _Day] = {}

    def add(self, row: HistoryRow, times: int = 1) -> None:
        """Count a row; with `times` of -1, take it out again."""
        self._days.setdefault(row.created_at[:10], _Day()).add(row, times)

    def statistics(self, since: str | None = None, until: str | None = None) -> Statistics:
        """The figures as of now, from day `since` to day `until`, both included; None is no bound."""
        whole, modules, every = _Sum(), dict[str, _Sum](), _Day()
        for day in sorted(self._days, reverse=True):
            if (since is None or day >= since) and (until is None or day <= until):
                tally = self._days[day]
                every.take_in(tally)
                whole.take_in(day, tally.total)
                for key, counted in tally.modules.items():
                    modules.setdefault(key, _Sum()).take_in(day, counted)
        counts = {key: total.counts() for key, total in sorted(modules.items())}
        return Statistics(
            total=whole.counts(),
            modules={key: counted for key, counted in counts.items() if counted.runs},
            states=_present(every.states),
            errors=dict(sorted(_present(every.errors).items(), key=lambda item: (-item[1], item[0]))),
            video_seconds=every.video_seconds,
            analysis_seconds=every.analysis_seconds,
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


@dataclass
class _Day:
    """The runs that were created on one day."""

    total: _Tally = field(default_factory=_Tally)
    modules: dict[str, _Tally] = field(default_factory=dict)
    states: Counter[RunState] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    video_seconds: float = 0.0
    analysis_seconds: float = 0.0

    def add(self, row: HistoryRow, times: int) -> None:
        self.states[row.state] += times
        if row.state is RunState.FAILED and row.error:
            self.errors[NUMBER.sub("…", row.error[:ERROR_LIMIT])] += times
        if row.state is not RunState.DONE:
            return
        self.total.add(row, times)
        self.video_seconds += times * (row.duration_s or 0.0)
        self.analysis_seconds += times * row.seconds
        for key, result in row.modules.items():
            if key not in self.modules:
                self.modules[key] = _Tally()
            self.modules[key].add(result, times)

    def take_in(self, other: _Day) -> None:
        """Add what is no tally of verdicts."""
        self.states.update(other.states)
        self.errors.update(other.errors)
        self.video_seconds += other.video_seconds
        self.analysis_seconds += other.analysis_seconds


class _Sum:
    """The tallies of several days."""

    def __init__(self) -> None:
        self._all = _Tally()
        self._days: dict[str, dict[Verdict, int]] = {}

    def take_in(self, day: str, tally: _Tally) -> None:
        self._all.verdicts.update(tally.verdicts)
        self._all.reasons.update(tally.reasons)
        self._all.scores = [one + other for one, other in zip(self._all.scores, tally.scores, strict=True)]
        if verdicts := _present(tally.verdicts):
            self._days[day] = verdicts

    def counts(self) -> Counts:
        verdicts = _present(self._all.verdicts)
        return Counts(
            sum(verdicts.values()), verdicts, _present(self._all.reasons), tuple(self._all.scores), self._days
        )


def _present(counter: Counter[Key]) -> dict[Key, int]:
    """Without what was taken out again."""
    return {key: number for key, number in counter.items() if number}
