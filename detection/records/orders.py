"""The history in other orders than that of time, kept sorted as rows come and go."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal, get_args

from detection.records.rows import HistoryRow

By = Literal["date", "name", "score", "duration"]
SORTS = tuple(f"{direction}{by}" for by in get_args(By) for direction in ("", "-"))  # as addresses have them


@dataclass(frozen=True)
class Order:
    """By what rows are sorted, and whether the highest comes first. With a `module` its score counts, not the run's."""

    by: By = "date"
    descending: bool = True
    module: str | None = None


NEWEST_FIRST = Order()


class Sorted:
    """Rows by one property, those that lack it apart. Not safe to use from several threads.

    A row is entered and taken out in the time of a bisection, so that a new run costs no sorting. Rows lie behind their
    key and id, which is unique, and are never compared.
    """

    def __init__(self, rows: Iterable[HistoryRow], by: By, module: str | None) -> None:
        self._key = _key(by, module)
        keyed = [(self._key(row), row.id, row) for row in rows]
        self._having = sorted(each for each in keyed if each[0] is not None)
        self._lacking = sorted((run_id, row) for key, run_id, row in keyed if key is None)

    def change(self, before: HistoryRow | None, after: HistoryRow | None) -> None:
        """Let one row take the place of another; either may be None."""
        if before is not None:
            key = self._key(before)
            if key is None:
                del self._lacking[bisect.bisect_left(self._lacking, (before.id,))]
            else:
                del self._having[bisect.bisect_left(self._having, (key, before.id))]
        if after is not None:
            key = self._key(after)
            if key is None:
                bisect.insort(self._lacking, (after.id, after))
            else:
                bisect.insort(self._having, (key, after.id, after))

    def rows(self, *, descending: bool) -> tuple[HistoryRow, ...]:
        """In either direction those that lack the property come last, the newest of them first."""
        having = reversed(self._having) if descending else self._having
        return (*[row for _, _, row in having], *[row for _, row in reversed(self._lacking)])


def _key(by: By, module: str | None) -> Callable[[HistoryRow], Any]:
    if by == "name":
        return lambda row: row.search  # the name in one case, then the hash
    if by == "duration":
        return lambda row: row.duration_s
    if module is None:
        return lambda row: row.score
    return lambda row: row.modules[module].score if module in row.modules else None
