"""Questions about the runs: the history by page, its statistics, and the runs that are not finished."""

from __future__ import annotations

import functools
import math
import os
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from detection.records import store, times
from detection.records.codec import RecordError
from detection.records.index import LogIndex, LogProblem
from detection.records.lifecycle import RECORD
from detection.records.orders import NEWEST_FIRST, Order
from detection.records.rows import HistoryRow
from detection.records.schema import RunRecord, RunState, Verdict
from detection.records.statistics import Statistics


@dataclass(frozen=True)
class Filter:
    """Which runs are wanted; None is any. With a `module`, verdict and scores are that module's, otherwise the run's.

    `text` is looked for in the video's name, SHA-256 and run id, whatever the case. `since` (included) and `until`
    (excluded) are aware times that the run was created at, `score_from` (included) and `score_below` are
    about its score.
    """

    module: str | None = None
    verdict: Verdict | None = None
    state: RunState | None = None
    text: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    score_from: float | None = None
    score_below: float | None = None


@dataclass(frozen=True)
class Page:
    """One page of the history, and of how many rows in all."""

    rows: tuple[HistoryRow, ...]
    total: int
    offset: int
    limit: int


class History:
    """The finished runs of one media folder. Safe to use from several threads."""

    def __init__(self, root: Path) -> None:
        self._index = LogIndex(root)

    def page(
        self, where: Filter | None = None, *, order: Order = NEWEST_FIRST, offset: int = 0, limit: int = 50
    ) -> Page:
        """The rows `offset` to `offset + limit` of those that `where` lets through."""
        wanted = self.rows(where, order=order)
        return Page(tuple(wanted[offset : offset + limit]), len(wanted), offset, limit)

    def rows(self, where: Filter | None = None, *, order: Order = NEWEST_FIRST) -> Sequence[HistoryRow]:
        """All rows that `where` lets through."""
        rows = self._index.rows(order)
        return rows if where is None else _matching(rows, where)

    def row(self, run_id: str) -> HistoryRow | None:
        """The row of one run, None if it is not finished or not there."""
        return self._index.row(run_id)

    def of_batch(self, batch_id: str) -> tuple[HistoryRow, ...]:
        """The finished runs of one batch, newest first."""
        return self._index.of_batch(batch_id)

    def batch_ids(self) -> list[str]:
        """The batches of which some run is finished, in no order."""
        return self._index.batch_ids()

    def statistics(self, since: date | None = None, until: date | None = None) -> Statistics:
        """Figures over all rows, or those created (by UTC) from `since` to `until`, both included."""
        return self._index.statistics(*(day.isoformat() if day else None for day in (since, until)))

    def problems(self) -> tuple[LogProblem, ...]:
        """Which log files have lines that cannot be read."""
        return self._index.problems()


@functools.cache
def history(root: Path) -> History:
    """The history of a media folder, one per process, so that the log is read once."""
    return History(root)


def active_runs(root: Path) -> list[RunRecord]:
    """The queued and running runs: the running ones first, then the queued ones in the order of the queue."""
    return _active(root).runs()


def positions(active: Iterable[RunRecord]) -> dict[str, int]:
    """The places of the queued ones among runs in the order of the queue: 1 for the next."""
    queued = (run.id for run in active if run.state is RunState.QUEUED)
    return {run_id: place for place, run_id in enumerate(queued, 1)}


class _Active:
    """The marked runs; a record is read again only when its file was replaced.

    Those who ask while somebody looks share the next look, which is as new as they may expect: hundreds of pages ask
    how far runs are, and each look is dozens of calls that wait for their turn with the interpreter.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._folder = root / "runs"
        self._lock = threading.Lock()
        self._looked_s = -math.inf
        self._read: dict[str, tuple[tuple[int, int], RunRecord]] = {}
        self._runs: list[RunRecord] = []

    def runs(self) -> list[RunRecord]:
        asked_s = time.monotonic()
        with self._lock:
            if self._looked_s <= asked_s:
                self._looked_s = time.monotonic()
                self._look()
            return list(self._runs)

    def _look(self) -> None:
        self._read = {
            run_id: read for run_id in store.active_ids(self._root) if (read := self._current(run_id)) is not None
        }
        unfinished = [run for _, run in self._read.values() if not run.state.is_final]
        unfinished.sort(key=lambda run: (run.state is RunState.QUEUED, run.queued_at or run.created_at, run.id))
        self._runs = unfinished

    def _current(self, run_id: str) -> tuple[tuple[int, int], RunRecord] | None:
        try:
            status = os.stat(f"{self._folder}/{run_id}/{RECORD}")  # noqa: PTH116 a thousand times for one page
            version = (status.st_ino, status.st_mtime_ns)
            known = self._read.get(run_id)
            return known if known and known[0] == version else (version, store.load_run(self._root, run_id))
        except (OSError, store.RunNotFound, RecordError):
            return None  # being made, or damaged: `detection.jobs.recovery` sees to it


@functools.cache
def _active(root: Path) -> _Active:
    return _Active(root)


def _matching(rows: Iterable[HistoryRow], where: Filter) -> list[HistoryRow]:
    found = list(rows)
    if where.since is not None:
        since = times.stamp(where.since)
        found = [row for row in found if row.created_at >= since]
    if where.until is not None:
        until = times.stamp(where.until)
        found = [row for row in found if row.created_at < until]
    if where.state is not None:
        found = [row for row in found if row.state is where.state]
    if (module := where.module) is not None:
        found = [row for row in found if module in row.modules]
        if where.verdict is not None:
            found = [row for row in found if row.modules[module].verdict == where.verdict]
    elif where.verdict is not None:
        found = [row for row in found if row.verdict == where.verdict]
    if where.score_from is not None or where.score_below is not None:
        low, below = where.score_from or 0.0, 2.0 if where.score_below is None else where.score_below
        if module is None:
            found = [row for row in found if row.score is not None and low <= row.score < below]
        else:
            scored = [(row, row.modules[module].score) for row in found]
            found = [row for row, score in scored if score is not None and low <= score < below]
    if where.text:
        text = where.text.casefold()
        found = [row for row in found if text in row.search]
    return found
