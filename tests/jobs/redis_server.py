"""A real Redis for tests, and workers that serve its queue."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis

from detection.jobs import presence
from tests.jobs.server import ROOT, environment, free_port, wait_for


@dataclass
class RedisServer:
    """A process that keeps nothing on disk: what it forgets is forgotten."""

    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        wait_for("Redis", self.answers)

    def answers(self) -> bool:
        with contextlib.suppress(redis.RedisError):
            return bool(redis.Redis.from_url(self.url).ping())
        return False

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()


def running_redis() -> Iterator[RedisServer]:
    if shutil.which("redis-server") is None:
        pytest.skip(
            "redis-server is not installed (Debian: apt install redis-server): the queue on Redis is not tested"
        )
    server = RedisServer(free_port())
    try:
        server.start()
        yield server
    finally:
        server.stop()


@dataclass
class WorkerProcess:
    """`manage.py worker --name NAME`."""

    name: str
    media: Path
    process: subprocess.Popen[bytes]
    log: Path

    def wait(self) -> None:
        wait_for(f"worker {self.name}", lambda: self.name in {worker.name for worker in presence.living(self.media)})


@contextlib.contextmanager
def workers(media: Path, redis_url: str, *names: str, **more: str) -> Iterator[list[WorkerProcess]]:
    """Living workers of these names, ended with the block whatever became of them."""
    started = []
    try:
        for name in names:
            log = media.parent / f"{name}.log"
            process = subprocess.Popen(
                [sys.executable, "manage.py", "worker", "--name", name],
                cwd=ROOT,
                env=environment(media, DEEPFAKE_QUEUE=redis_url, **more),
                stdout=log.open("ab"),
                stderr=subprocess.STDOUT,
            )
            started.append(WorkerProcess(name, media, process, log))
        for worker in started:
            worker.wait()
        yield started
    except BaseException:
        for worker in started:
            print(f"--- {worker.name}\n{worker.log.read_text()}")
        raise
    finally:
        for worker in started:
            worker.process.terminate()
        for worker in started:
            with contextlib.suppress(subprocess.TimeoutExpired):
                worker.process.wait(30)
            worker.process.kill()
            worker.process.wait()


def refused_worker(media: Path, redis_url: str, name: str) -> tuple[int, str]:
    """The exit status of a worker that must not start, and what it said."""
    command = [sys.executable, "manage.py", "worker", "--name", name]
    variables = environment(media, DEEPFAKE_QUEUE=redis_url)
    ended = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False, timeout=120)
    return ended.returncode, ended.stderr
