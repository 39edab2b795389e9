"""The log in memory: each file is read once, then only what was added to it."""

from __future__ import annotations

import bisect
import os
import threading
from dataclasses import dataclass
from pathlib import Path
from sys import intern
from typing import BinaryIO

from detection.records import log
from detection.records.orders import NEWEST_FIRST, By, Order, Sorted
from detection.records.rows import HistoryRow, row_of, row_without
from detection.records.statistics import Statistics, Tally
from detection.records.store import RUN_ID


@dataclass(frozen=True)
class LogProblem:
    """Lines of one log file that could not be read; `manage.py rebuild_log` makes the file anew from the runs."""

    module: str
    path: Path
    unreadable_lines: int


class _LogReader:
    """Hands out the lines of one log file as they are added."""

    def __init__(self, root: Path, module: str) -> None:
        self.module = intern(module)
        self.path = log.log_path(root, module)
        self.unreadable = 0
        self.torn = False
        self._root = root
        self._seen: tuple[int, int, int] | None = None  # inode, size, time of change
        self._offset = 0
        self._last_line = b""  # ends at _offset; if it is not there any more, the file is another one

    def new_lines(self) -> tuple[bool, list[bytes]]:
        """Whether the file is another one than before (a rebuilt log), and the lines that were not handed out yet."""
        try:
            with self.path.open("rb") as file:
                status = os.fstat(file.fileno())
                seen = (status.st_ino, status.st_size, status.st_mtime_ns)
                if seen == self._seen:
                    return False, []
                is_another = not self._continues_in(file)
                if is_another:
                    self._offset, self.unreadable = 0, 0
                data = self._rest_of(file)
        except FileNotFoundError:
            is_another, seen, data = self._offset > 0, None, b""
            self._offset, self.unreadable = 0, 0
        self._seen = seen
        return is_another, self._complete_lines(data)

    def _continues_in(self, file: BinaryIO) -> bool:
        file.seek(self._offset - len(self._last_line))
        return file.read(len(self._last_line)) == self._last_line

    def _rest_of(self, file: BinaryIO) -> bytes:
        file.seek(self._offset)
        data = file.read()
        if data and not data.endswith(b"\n"):
            with log.writing(self._root):  # with all writers kept out, what has no end now is torn
                data += file.read()
        return data

    def _complete_lines(self, data: bytes) -> list[bytes]:
        end = data.rfind(b"\n") + 1
        lines = data[:end].split(b"\n")[:-1]
        self.torn = end < len(data)
        self._offset += end
        if lines:
            self._last_line = lines[-1] + b"\n"
        elif self._offset == 0:
            self._last_line = b""
        return lines


class LogIndex:
    """The rows of the history, newest first. Safe to use from several threads."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lock = threading.Lock()
        self._readers: dict[str, _LogReader] = {}
        self._rows: dict[str, HistoryRow] = {}
        self._order: list[str] = []  # ids, oldest first
        self._batches: dict[str, set[str]] = {}  # the runs of each batch
        self._sorted: dict[tuple[By, str | None], Sorted] = {}
        self._snapshots: dict[Order, tuple[HistoryRow, ...]] = {}
        self._tally: Tally | None = None

    def rows(self, order: Order = NEWEST_FIRST) -> tuple[HistoryRow, ...]:
        """All rows as the log has them now, in an order; the same object as long as nothing changed."""
        with self._lock:
            self._refresh()
            if order not in self._snapshots:
                self._snapshots[order] = self._in_order(order)
            return self._snapshots[order]

    def row(self, run_id: str) -> HistoryRow | None:
        with self._lock:
            self._refresh()
            return self._rows.get(run_id)

    def of_batch(self, batch_id: str) -> tuple[HistoryRow, ...]:
        """The rows of one batch, newest first."""
        with self._lock:
            self._refresh()
            ids = sorted(self._batches.get(batch_id, ()), reverse=True)
            return tuple(map(self._rows.__getitem__, ids))

    def batch_ids(self) -> list[str]:
        """The batches of which some run is finished, in no order."""
        with self._lock:
            self._refresh()
            return list(self._batches)

    def statistics(self, since: str | None = None, until: str | None = None) -> Statistics:
        """Figures over all rows, or those of some days (both included). They are counted at the first call, and from
        then on with every row.
        """
        with self._lock:
            self._refresh()
            if self._tally is None:
                self._tally = Tally()
                for row in self._rows.values():
                    self._tally.add(row)
            return self._tally.statistics(since, until)

    def problems(self) -> tuple[LogProblem, ...]:
        """What cannot be read in the log as it is now."""
        with self._lock:
            self._refresh()
            return tuple(
                LogProblem(reader.module, reader.path, reader.unreadable + reader.torn)
                for reader in self._readers.values()
                if reader.unreadable or reader.torn
            )

    def _in_order(self, order: Order) -> tuple[HistoryRow, ...]:
        if order.by == "date":
            ids = reversed(self._order) if order.descending else self._order
            return tuple(map(self._rows.__getitem__, ids))
        key = order.by, order.module
        if key not in self._sorted:
            self._sorted[key] = Sorted(self._rows.values(), *key)
        return self._sorted[key].rows(descending=order.descending)

    def _refresh(self) -> None:
        for module in log.modules(self._root):
            if module not in self._readers:
                self._readers[module] = _LogReader(self._root, module)
        for reader in self._readers.values():
            is_another, lines = reader.new_lines()
            if is_another:
                self._sorted.clear()  # to sort anew is quicker than to take so many out
                for run_id in [*self._order]:
                    self._remove(run_id, reader.module)
            for line in lines:
                if line and not self._enter(reader.module, line):
                    reader.unreadable += 1

    def _enter(self, module: str, line: bytes) -> bool:
        """Take one line in. False if it cannot be read."""
        entry = log.read_line(line)
        if entry is None or not RUN_ID.fullmatch(entry.run):
            return False
        if isinstance(entry, log.Removal):
            self._remove(entry.run, module)
            return True
        known = self._rows.get(entry.run)
        self._put(entry.run, known, row_of(entry, module, known))
        return True

    def _remove(self, run_id: str, module: str) -> None:
        known = self._rows.get(run_id)
        if known is not None and module in known.modules:
            self._put(run_id, known, row_without(known, module))

    def _put(self, run_id: str, known: HistoryRow | None, row: HistoryRow | None) -> None:
        """Let `row` take the place of `known`."""
        if row is None:
            del self._rows[run_id]
            del self._order[bisect.bisect_left(self._order, run_id)]
        else:
            if known is None:
                bisect.insort(self._order, run_id)
            self._rows[run_id] = row
        self._enter_batch(run_id, known, row)
        self._snapshots.clear()
        for each in self._sorted.values():
            each.change(known, row)
        if self._tally is not None:
            for changed, times in ((known, -1), (row, 1)):
                if changed is not None:
                    self._tally.add(changed, times)

    def _enter_batch(self, run_id: str, known: HistoryRow | None, row: HistoryRow | None) -> None:
        if row is not None and row.batch is not None:
            self._batches.setdefault(row.batch, set()).add(run_id)
        elif known is not None and known.batch is not None:
            self._batches[known.batch].discard(run_id)
            if not self._batches[known.batch]:
                del self._batches[known.batch]
