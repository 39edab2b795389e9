"""How long the history takes with 100,000 runs: `python -m tests.benchmarks.bench_history`.

Times are of the processor, so that what else the machine does counts for less.
"""

from __future__ import annotations

import argparse
import random
import resource
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import cast, get_args

from detection.records import log, query
from detection.records.orders import SORTS, By, Order
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
        began = time.process_time()
        call()
        times.append((time.process_time() - began) * 1000)
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
        began = time.process_time()
        total = history.page().total
        cold_ms = (time.process_time() - began) * 1000
        began = time.process_time()
        history.statistics()
        counted_ms = (time.process_time() - began) * 1000
        memory_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib) / 1024
        baseline = baseline_ms(root)
        some = history.page(offset=total // 2, limit=1).rows[0]
        days = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 9, 1, tzinfo=UTC)
        orders = {sort: Order(cast("By", sort.removeprefix("-")), sort.startswith("-")) for sort in SORTS}
        for by in get_args(By):
            began = time.process_time()
            history.page(order=Order(by), limit=1)
            print(f"first order by {by:11} {(time.process_time() - began) * 1000:8.1f} ms   (once per process)")

        def after_a_new_run(order: Order) -> float:
            make.finished_run(root, modules=tuple(options.modules))
            began = time.process_time()
            history.page(order=order, limit=50)
            return (time.process_time() - began) * 1000

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
            "date from and to": lambda: history.page(Filter(since=days[0], until=days[1]), limit=50),
            "score from and to": lambda: history.page(Filter(score_from=0.4, score_below=0.6), limit=50),
            "module's score": lambda: history.page(Filter(module=options.modules[0], score_from=0.4), limit=50),
            **{f"sorted by {sort}": partial(history.page, order=order, limit=50) for sort, order in orders.items()},
            "all filters, sorted by score": lambda: history.page(
                Filter(module=options.modules[0], verdict="fake", text="clip", since=days[0], score_from=0.5),
                order=Order("score", module=options.modules[0]),
                limit=50,
            ),
            "statistics": history.statistics,
            "statistics of a month": lambda: history.statistics(date(2026, 3, 1), date(2026, 3, 31)),
        }
        worst = 0.0
        for name, call in queries.items():
            took = median_ms(call)
            worst = max(worst, took)
            print(f"{name:26} {took:8.1f} ms   {took / baseline:6.2f} × baseline")
        for sort in ("-date", "name", "-score"):
            added = sorted(after_a_new_run(orders[sort]) for _ in range(REPEATS))[REPEATS // 2]
            worst = max(worst, added)
            print(f"{f'after a new run, by {sort}':26} {added:8.1f} ms   {added / baseline:6.2f} × baseline")
        print(f"worst {worst:.1f} ms, limit {LIMIT_MS:.0f} ms: {'kept' if worst < LIMIT_MS else 'EXCEEDED'}")


if __name__ == "__main__":
    main()
