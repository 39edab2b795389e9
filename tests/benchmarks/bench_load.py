"""A laboratory's morning, `make load`: 100 uploads at once and 500 readers while two analyses run.

    python -m tests.benchmarks.bench_load [--seconds 60] [--followers 400] [--readers 100] [--uploads 100]

gunicorn as `gunicorn.conf.py` has it, two workers on Redis (one on files where there is no Redis), and a crowd in a
process of its own on the same machine. Exit status 1 if something went wrong, a page's p95 reached 300 ms, or the
server's memory 1 GB.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "deepfake_site.settings")

from tests.benchmarks import clips
from tests.benchmarks.bench_history import write_log
from tests.clips import write_astronaut
from tests.jobs.redis_server import RedisServer
from tests.jobs.server import ROOT, free_port, wait_for

P95_LIMIT_MS = 300.0
MEMORY_LIMIT_MB = 1024
UPLOADS_AFTER_S = 10.0
ANALYSED_S = 120  # of a clip: long enough that two are always at work
RUNS = 40
HISTORY = 5000


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--followers", type=int, default=400)
    parser.add_argument("--readers", type=int, default=100)
    parser.add_argument("--uploads", type=int, default=100)
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="load-"))
    try:
        return measure(given, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def measure(given: argparse.Namespace, folder: Path) -> int:
    media = folder / "media"
    media.mkdir()
    write_log(media, HISTORY, ("space",))
    files = [str(write_astronaut(folder / f"{n}.mp4", frames=25, mark=n)) for n in range(given.uploads)]
    talk = clips.repeat(clips.write_talk(folder / "talk.mp4", 10), folder / "long.mp4", ANALYSED_S // 10)
    with site(folder, media) as (port, pids, workers):
        runs = start_runs(port, talk)
        wait_for("two analyses", lambda: len(running(port)) >= workers, within_s=120)
        print(f"load {os.getloadavg()[0]:.2f} before, {os.cpu_count()} cores, {workers} workers", flush=True)
        memory = Memory(pids)
        plan = {"host": "127.0.0.1", "port": port, "runs": runs, "uploads": files, "seconds": given.seconds,
                "followers": given.followers, "readers": given.readers, "uploads_after_s": UPLOADS_AFTER_S}  # fmt: skip
        crowd = subprocess.run(
            [sys.executable, "-m", "tests.benchmarks.readers"],
            cwd=ROOT, input=json.dumps(plan), capture_output=True, text=True, check=False,
        )  # fmt: skip
        if crowd.returncode != 0:
            print(crowd.stderr)
            return 1
        at_the_end = running(port)
        peaks = memory.stop()
    return report(json.loads(crowd.stdout), peaks, len(at_the_end))


@contextlib.contextmanager
def site(folder: Path, media: Path) -> Iterator[tuple[int, Callable[[], dict[str, list[int]]], int]]:
    """Port, the processes by kind, and how many workers there are."""
    port, with_redis = free_port(), shutil.which("redis-server") is not None
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("DEEPFAKE_")},
        "DEEPFAKE_MEDIA": str(media),
        "DEEPFAKE_START_WORKER": "0",
        "DEEPFAKE_LOG_LEVEL": "WARNING",
    }
    processes: dict[str, list[subprocess.Popen[bytes]]] = {"worker": [], "server": []}
    redis = RedisServer(free_port())
    log = (folder / "site.log").open("wb")
    try:
        if with_redis:
            redis.start()
            environment["DEEPFAKE_QUEUE"] = redis.url
        for name in ("one", "two") if with_redis else ("one",):
            # As a server starts its own: pages go before analyses.
            command = ["nice", "-n", "5", sys.executable, "manage.py", "worker", "--name", name]
            processes["worker"].append(subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log))
        command = [sys.executable, "-m", "gunicorn", "deepfake_site.wsgi", "-b", f"127.0.0.1:{port}"]
        processes["server"].append(subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log))
        wait_for("the site", lambda: answers(port), within_s=120)
        yield port, lambda: {kind: family(each) for kind, each in processes.items()}, len(processes["worker"])
    except BaseException:
        print((folder / "site.log").read_text()[-5000:])
        raise
    finally:
        for process in [*processes["server"], *processes["worker"]]:
            process.terminate()
        for process in [*processes["server"], *processes["worker"]]:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(40)
            process.kill()
        redis.stop()
        log.close()


def family(processes: list[subprocess.Popen[bytes]]) -> list[int]:
    """They and their children, without what looks at files for a second."""
    found = []
    for process in processes:
        with contextlib.suppress(OSError):
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
            found += [process.pid, *map(int, children)]
    return found


def answers(port: int) -> bool:
    with contextlib.suppress(OSError):
        return bool(ask(port, "GET", "/healthz"))
    return False


def ask(port: int, method: str, path: str, body: bytes | None = None, kind: str = "application/json") -> bytes:
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", body, {"Content-Type": kind}, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return bytes(answer.read())


def start_runs(port: int, clip: Path) -> list[str]:
    octets = "application/octet-stream"
    upload = json.loads(ask(port, "POST", "/api/v1/uploads?name=talk.mp4", clip.read_bytes(), octets))
    body = json.dumps({"uploads": [upload["sha256"]] * RUNS, "modules": ["space", "feature", "blend"]})
    return [run["id"] for run in json.loads(ask(port, "POST", "/api/v1/runs", body.encode()))["runs"]]


def running(port: int) -> list[str]:
    return list(json.loads(ask(port, "GET", "/api/v1/"))["queue"]["running"])


class Memory:
    """The largest resident set of each kind of process, all of a kind together, looked at four times a second."""

    def __init__(self, pids: Callable[[], dict[str, list[int]]]) -> None:
        self._pids, self._peaks, self._stopped = pids, dict[str, float](), threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        from detection.vision.confinement import resident_mb

        while not self._stopped.wait(0.25):
            for kind, pids in self._pids().items():
                held_mb = sum(resident_mb(pid) for pid in pids)
                self._peaks[kind] = max(held_mb, self._peaks.get(kind, 0.0))

    def stop(self) -> dict[str, float]:
        self._stopped.set()
        self._thread.join()
        return self._peaks


def report(seen: dict[str, Any], peaks: dict[str, float], still_running: int) -> int:
    uploaded = seen["times_ms"].pop("upload", [])
    ended_s = max((at + ms / 1000 for at, ms in uploaded), default=UPLOADS_AFTER_S)
    print(f"{'':28}{'requests':>9}{'p50 ms':>9}{'p95 ms':>9}{'max ms':>9}")
    slowest = 0.0
    for kind, times in sorted(seen["times_ms"].items()):
        during = [ms for at, ms in times if UPLOADS_AFTER_S <= at < ended_s]
        line(f"{kind}, while uploads come", during)
        line(f"{kind}, else", [ms for at, ms in times if not UPLOADS_AFTER_S <= at < ended_s])
        slowest = max(slowest, line(f"{kind}, all", [ms for _, ms in times]))
    line("upload", [ms for _, ms in uploaded])
    if uploaded:
        print(
            f"all uploads kept and inspected after {max(at + ms / 1000 for at, ms in uploaded) - UPLOADS_AFTER_S:.1f} s"
        )
    print(f"peak memory: server {peaks['server']:.0f} MB, workers {peaks['worker']:.0f} MB")
    print(f"load {os.getloadavg()[0]:.2f} at the end, the crowd itself {seen['cpu_s']:.0f} s of processor time")
    print(f"analyses at work at the end: {still_running}; errors: {len(seen['errors'])}")
    for error in seen["errors"][:10]:
        print(f"  {error}")
    kept = not seen["errors"] and slowest < P95_LIMIT_MS and peaks["server"] < MEMORY_LIMIT_MB
    print(f"worst p95 of pages {slowest:.0f} ms, limit {P95_LIMIT_MS:.0f} ms: {'kept' if kept else 'NOT KEPT'}")
    return 0 if kept else 1


def line(name: str, took_ms: list[float]) -> float:
    """Print how long it took; the 95th percentile."""
    if not took_ms:
        return 0.0
    ordered = sorted(took_ms)
    p95 = ordered[int(0.95 * (len(ordered) - 1))]
    print(f"{name:28}{len(ordered):9}{ordered[len(ordered) // 2]:9.0f}{p95:9.0f}{ordered[-1]:9.0f}")
    return p95


if __name__ == "__main__":
    sys.exit(main())
