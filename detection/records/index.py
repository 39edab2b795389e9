"""The log in memory: each file is read once, then only what was added to it."""

from __future__ import annotations

import bisect
import json
import os
import threading
from dataclasses import dataclass, replace
from pathlib import Path
from sys import intern
from typing import Any, BinaryIO, cast, get_args

from detection.records import log
from detection.records.schema import Reason, RunState, Verdict
from detection.records.store import RUN_ID

VERDICTS = frozenset(get_args(Verdict))


@dataclass(frozen=True, slots=True)
class ModuleResult:
    """What one module said of one run."""

    verdict: Verdict
    score: float | None
    reason: Reason | None


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One finished run as the history shows it; the whole is in its record. `search` is what text search reads."""

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
        self._snapshot: tuple[HistoryRow, ...] | None = None

    def rows(self) -> tuple[HistoryRow, ...]:
        """All rows as the log has them now, newest first; the same object as long as nothing changed."""
        with self._lock:
            self._refresh()
            if self._snapshot is None:
                self._snapshot = tuple(map(self._rows.__getitem__, reversed(self._order)))
            return self._snapshot

    def row(self, run_id: str) -> HistoryRow | None:
        with self._lock:
            self._refresh()
            return self._rows.get(run_id)

    def problems(self) -> tuple[LogProblem, ...]:
        """What cannot be read in the log as it is now."""
        with self._lock:
            self._refresh()
            return tuple(
                LogProblem(reader.module, reader.path, reader.unreadable + reader.torn)
                for reader in self._readers.values()
                if reader.unreadable or reader.torn
            )

    def _refresh(self) -> None:
        for module in log.modules(self._root):
            if module not in self._readers:
                self._readers[module] = _LogReader(self._root, module)
        for reader in self._readers.values():
            is_another, lines = reader.new_lines()
            if is_another:
                for run_id in [*self._order]:
                    self._remove(run_id, reader.module)
            for line in lines:
                if line and not self._enter(reader.module, line):
                    reader.unreadable += 1

    def _enter(self, module: str, line: bytes) -> bool:
        """Take one line in. False if it cannot be read."""
        try:
            plain = json.loads(line)
            if plain.get("removed"):
                self._remove(plain["run"], module)
                return True
            row = _row(plain, module)
        except (ValueError, KeyError, TypeError, AttributeError):
            return False
        known = self._rows.get(row.id)
        if known is None:
            bisect.insort(self._order, row.id)
        else:
            row = replace(row, modules={**known.modules, **row.modules}, search=known.search)
        self._rows[row.id] = row
        self._snapshot = None
        return True

    def _remove(self, run_id: str, module: str) -> None:
        known = self._rows.get(run_id)
        if known is None or module not in known.modules:
            return
        self._snapshot = None
        left = {key: result for key, result in known.modules.items() if key != module}
        if left:
            self._rows[run_id] = replace(known, modules=left)
        else:
            del self._rows[run_id]
            del self._order[bisect.bisect_left(self._order, run_id)]


def _row(plain: dict[str, Any], module: str) -> HistoryRow:
    """Raises KeyError, TypeError or ValueError for a line that is none."""
    run_id, name, sha256 = plain["run"], plain["video_name"], plain["sha256"]
    if not RUN_ID.fullmatch(run_id):
        raise ValueError(run_id)
    return HistoryRow(
        id=run_id,
        created_at=plain["created_at"],
        finished_at=plain["finished_at"],
        state=RunState(plain["state"]),
        verdict=_verdict(plain["run_verdict"]),
        score=plain["run_score"],
        reason=_reason(plain["run_reason"]),
        video_name=name,
        sha256=sha256,
        duration_s=plain["duration_s"],
        people=plain["people"],
        seconds=plain["seconds"],
        error=plain["error"],
        modules={module: ModuleResult(_verdict(plain["verdict"]), plain["score"], _reason(plain["reason"]))},
        search=f"{name}\n{sha256}\n{run_id}".casefold(),
    )


def _verdict(text: str) -> Verdict:
    if text not in VERDICTS:
        raise ValueError(text)
    return cast(Verdict, intern(text))


def _reason(text: str | None) -> Reason | None:
    return None if text is None else Reason(text)
