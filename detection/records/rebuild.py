"""Makes the log anew from the runs, which are the truth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from detection.records import codec, log, store


@dataclass(frozen=True)
class RebuildReport:
    """How many finished runs are in the log now, and what is wrong with those that could not be read."""

    runs: int
    lines: int
    problems: tuple[str, ...]


def rebuild_log(root: Path) -> RebuildReport:
    """Replace every log file by one made from the records. Whoever finishes a run meanwhile waits for the end of it."""
    runs, lines = 0, 0
    problems: list[str] = []

    def entries() -> Iterator[log.LogEntry]:
        nonlocal runs, lines
        for run_id in store.run_ids(root):
            try:
                record = store.load_run(root, run_id)
            except (store.RunNotFound, codec.RecordError, OSError) as error:
                problems.append(str(error))
                continue
            if record.state.is_final:
                of_run = log.entries_of(record)
                runs, lines = runs + 1, lines + len(of_run)
                yield from of_run

    with log.writing(root):
        log.replace_all(root, entries())
    return RebuildReport(runs, lines, tuple(problems))
