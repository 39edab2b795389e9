"""How long the history takes with 100,000 runs: `python -m tests.benchmarks.bench_history`."""

from __future__ import annotations

import argparse
import random
import resource
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

from detection.records import log, query
from detection.records.query import Filter
from detection.records.schema import RunState
from tests.records import make

LIMIT_MS = 100.0
REPEATS = 15


def write_log(root: Path, runs: int, modules: tuple[str, ...]) -> None:
    """A log as `runs` finished runs leave it, with scores, names and hashes drawn by a fixed seed."""
    draw = random.Random(0)
    sample = make.finished_run(root, modules=modules)
    (root / "log").mkdir(exist_ok=True)
    files = {module: log.log_path(root, module).open("wb") for module in modules}
    for number in range(runs):
        score = draw.random()
        seconds = number * 60
        record = replace(
            sample,
            id=f"{20200101 + number // 86400:08d}-{number % 86400 * 1000:09d}-{number % 0xFFFFFF:06x}",
            created_at=f"2026-{seconds // 2_678_400 % 12 + 1:02d}-{seconds // 86_400 % 28 + 1:02d}T00:00:00.000+00:00",
            video_name=f"clip {draw.randrange(10**6)}.mp4",
            sha256=f"{draw.getrandbits(256):064x}",
            analysis=make.analysis(score, modules),
        )
        for entry in log.entries_of(record):
            files[entry.module].write(log.line_of(entry))
    for file in files.values():
        file.close()


def median_ms(call: Callable[[], object]) -> float:
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        call()
        times.append((time.perf_counter() - began) * 1000)
    return sorted(times)[REPEATS // 2]


def baseline_ms(root: Path) -> float:
    """The least that a history without an index would do for every page: read the log's bytes and split its lines."""
    return median_ms(lambda: [path.read_bytes().split(b"\n") for path in (root / "log").glob("*.jsonl")])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--modules", nargs="+", default=["space"])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_log(root, options.runs, tuple(options.modules))
        before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        history = query.History(root)
        began = time.perf_counter()
        total = history.page().total
        cold_ms = (time.perf_counter() - began) * 1000
        began = time.perf_counter()
        history.statistics()
        counted_ms = (time.perf_counter() - began) * 1000
        memory_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib) / 1024
        baseline = baseline_ms(root)
        some = history.page(offset=total // 2, limit=1).rows[0]

        def after_a_new_run() -> object:
            record = make.finished_run(root, modules=tuple(options.modules))
            began = time.perf_counter()
            assert history.page(limit=1).rows[0].id == record.id
            return (time.perf_counter() - began) * 1000

        print(f"{total} runs, modules {', '.join(options.modules)}")
        print(f"first page after a start   {cold_ms:8.1f} ms   (once per process), {memory_mb:.0f} MB kept")
        print(f"first statistics           {counted_ms:8.1f} ms   (once per process)")
        print(f"baseline: reading the log  {baseline:8.1f} ms")
        queries: dict[str, Callable[[], object]] = {
            "first page": lambda: history.page(limit=50),
            "last page": lambda: history.page(offset=total - 50, limit=50),
            "verdict fake": lambda: history.page(Filter(verdict="fake"), limit=50),
            "module and verdict": lambda: history.page(Filter(module=options.modules[0], verdict="real"), limit=50),
            "state": lambda: history.page(Filter(state=RunState.FAILED), limit=50),
            "text: part of a name": lambda: history.page(Filter(text="clip 4242"), limit=50),
            "text: a hash": lambda: history.page(Filter(text=some.sha256), limit=50),
            "all filters": lambda: history.page(
                Filter(module=options.modules[0], verdict="fake", state=RunState.DONE, text="clip"), limit=50
            ),
            "statistics": history.statistics,
            "statistics of a month": lambda: history.statistics(date(2026, 3, 1), date(2026, 3, 31)),
        }
        worst = 0.0
        for name, call in queries.items():
            took = median_ms(call)
            worst = max(worst, took)
            print(f"{name:26} {took:8.1f} ms   {took / baseline:6.2f} × baseline")
        added = sorted(float(str(after_a_new_run())) for _ in range(REPEATS))[REPEATS // 2]
        worst = max(worst, added)
        print(f"{'first page after a new run':26} {added:8.1f} ms   {added / baseline:6.2f} × baseline")
        print(f"worst {worst:.1f} ms, limit {LIMIT_MS:.0f} ms: {'kept' if worst < LIMIT_MS else 'EXCEEDED'}")


if __name__ == "__main__":
    main()
