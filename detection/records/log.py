"""The log under media/log: one line of JSON per finished run and module, which the history is read from.

Lines are only ever added. A later line of the same run takes the place of an earlier one, and a line with
`"removed": true` (a deleted run, or one that is analysed again) takes it out of the history. Every writer holds
`media/log/.lock`, so lines never mix. A line that a crash tore is taken back by the next writer when its run is marked
as unfinished, so that it will be written again; any other torn line is closed and costs itself alone.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from detection.records.files import locked, sync_folder, write_atomic
from detection.records.schema import Reason, RunRecord, RunState, Verdict

LONGEST_LINE = 1 << 16
RUN_OF_LINE = re.compile(rb'\{"run":"([0-9a-f-]+)"')


class LogEntry(msgspec.Struct, frozen=True, gc=False):
    """What the history shows of a run and one of its modules. `score`, `verdict` and `reason` are the module's.

    Records are read one at a time, the log a hundred thousand lines at once: msgspec does that ten times as fast.
    """

    run: str
    module: str
    verdict: Verdict
    score: float | None
    reason: Reason | None
    run_verdict: Verdict
    run_score: float | None
    run_reason: Reason | None
    state: RunState
    created_at: str
    finished_at: str
    video_name: str
    sha256: str
    duration_s: float | None
    people: int
    seconds: float
    error: str | None
    schema_version: int
    batch: str | None = None


class Removal(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """The run is no longer in the history."""

    run: str
    removed: bool


def entries_of(record: RunRecord) -> list[LogEntry]:
    """The lines of a finished run, one per module that it was asked for."""
    analysis = record.analysis
    entries = []
    for module in record.modules:
        outcome = analysis.modules.get(module) if analysis else None
        entries.append(
            LogEntry(
                run=record.id,
                module=module,
                verdict=outcome.verdict if outcome else "no_result",
                score=outcome.score if outcome else None,
                reason=outcome.reason if outcome else (analysis.reason if analysis else None),
                run_verdict=analysis.verdict if analysis else "no_result",
                run_score=analysis.score if analysis else None,
                run_reason=analysis.reason if analysis else None,
                state=record.state,
                created_at=record.created_at,
                finished_at=record.finished_at or record.created_at,
                video_name=record.video_name,
                sha256=record.sha256,
                duration_s=analysis.duration_s if analysis else None,
                people=len(analysis.people) if analysis else 0,
                seconds=analysis.seconds if analysis else 0.0,
                error=record.error,
                schema_version=record.schema_version,
                batch=record.batch,
            )
        )
    return entries


def log_path(root: Path, module: str) -> Path:
    return root / "log" / f"{module}.jsonl"


def modules(root: Path) -> tuple[str, ...]:
    """The modules that have a log."""
    return tuple(sorted(path.stem for path in (root / "log").glob("*.jsonl")))


def line_of(entry: LogEntry | Removal) -> bytes:
    return msgspec.json.encode(entry) + b"\n"


_entries = msgspec.json.Decoder(LogEntry)
_removals = msgspec.json.Decoder(Removal)


def read_line(line: bytes) -> LogEntry | Removal | None:
    """None for a line that cannot be read."""
    for decoder in (_entries, _removals):
        try:
            return decoder.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            continue
    return None


def append(root: Path, entries: Iterable[LogEntry]) -> None:
    """Add lines, safely beside other writers; on the disk when this returns."""
    lines = [(entry.module, line_of(entry)) for entry in entries]
    with writing(root):
        for module, line in lines:
            _append_line(root, module, line)


def remove(root: Path, run: str, modules: Iterable[str]) -> None:
    """Take a run out of the history of `modules`."""
    line = line_of(Removal(run, removed=True))
    with writing(root):
        for module in modules:
            _append_line(root, module, line)


def replace_all(root: Path, entries: Iterable[LogEntry]) -> None:
    """Make the log consist of `entries` alone, each file at one stroke. The caller holds `writing`."""
    lines: dict[str, list[bytes]] = {module: [] for module in modules(root)}
    for entry in entries:
        lines.setdefault(entry.module, []).append(line_of(entry))
    for module, of_module in lines.items():
        write_atomic(log_path(root, module), b"".join(of_module))


@contextlib.contextmanager
def writing(root: Path) -> Iterator[None]:
    """Keep every other writer of the log out."""
    (root / "log").mkdir(parents=True, exist_ok=True)
    with locked(root / "log" / ".lock"):
        yield


def _append_line(root: Path, module: str, line: bytes) -> None:
    path = log_path(root, module)
    is_new = not path.exists()
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    try:
        _settle_torn_line(root, descriptor)
        while line:
            line = line[os.write(descriptor, line) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if is_new:
        sync_folder(path.parent)


def _settle_torn_line(root: Path, descriptor: int) -> None:
    """Let the file end with a whole line."""
    size = os.fstat(descriptor).st_size
    if not size or os.pread(descriptor, 1, size - 1) == b"\n":
        return
    tail = os.pread(descriptor, LONGEST_LINE, max(0, size - LONGEST_LINE)).rpartition(b"\n")[2]
    run = RUN_OF_LINE.match(tail)
    if run and (root / "runs" / ".active" / run[1].decode()).exists() and read_line(tail) is None:
        os.ftruncate(descriptor, size - len(tail))
    else:
        os.write(descriptor, b"\n")
