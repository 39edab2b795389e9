"""Real servers and workers for tests, and a look at the processes that they are."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import TypeVar

from detection.jobs.queue import FileQueue

ROOT = Path(__file__).resolve().parents[2]
WAIT_S = 60.0

T = TypeVar("T")


def wait_for(what: str, look: Callable[[], T | None], within_s: float = WAIT_S) -> T:
    """The first true thing that `look` gives."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what}: not within {within_s} s")


def environment(media: Path, **more: str) -> dict[str, str]:
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.jobs.site",
        "DEEPFAKE_MEDIA": str(media),
        "DEEPFAKE_START_WORKER": "1",
        "PYTHONPATH": str(ROOT),
        **more,
    }


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """One `manage.py runserver` (or gunicorn) over a media folder, in a process group of its own."""

    def __init__(self, media: Path, *options: str, gunicorn_workers: int = 0, **more: str) -> None:
        self.media = media
        self.port = free_port()
        address = f"127.0.0.1:{self.port}"
        if gunicorn_workers:
            command = ["-m", "gunicorn", "deepfake_site.wsgi", "-b", address, "-w", str(gunicorn_workers)]
        else:
            command = ["manage.py", "runserver", address, *options]
        self.log = media.parent / f"server-{self.port}.log"
        self._process = subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            env=environment(media, **more),
            stdout=self.log.open("wb"),
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def serving_pid(self) -> int | None:
        """The process that answers requests, None while there is none."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=5) as answer:
                return int(answer.read())
        except (OSError, HTTPException, ValueError):  # a server that ends in the middle of an answer sends part of it
            return None

    def wait(self) -> None:
        wait_for("the server", self.serving_pid)

    def stop(self, number: int = signal.SIGTERM) -> None:
        """Signal the server and wait for it and its worker."""
        self._process.send_signal(number)
        self._process.wait(WAIT_S)
        wait_for("the end of the worker", lambda: not worker_pids(self.media))

    def clean_up(self) -> None:
        """Whatever a failed test left."""
        for pid in (self.serving_pid(), self.pid):
            if pid is not None and self._process.poll() is None:
                os.kill(pid, signal.SIGKILL)
        self._process.wait(WAIT_S)
        for pid in worker_pids(self.media):
            os.kill(pid, signal.SIGKILL)


@contextmanager
def serving(media: Path, *options: str, gunicorn_workers: int = 0, **more: str) -> Iterator[Server]:
    server = Server(media, *options, gunicorn_workers=gunicorn_workers, **more)
    try:
        server.wait()
        yield server
    except BaseException:
        print(server.log.read_text())
        raise
    finally:
        server.clean_up()


def worker_pids(media: Path) -> list[int]:
    """The living `manage.py worker` processes of a media folder."""
    found = []
    for process in Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
            variables = (process / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"worker" in words and f"DEEPFAKE_MEDIA={media}".encode() in variables:
            found.append(int(process.name))
    return found


def the_worker(media: Path) -> int:
    """The one worker, once it holds the lock. A second process may try for the lock meanwhile, in vain."""

    def look() -> int | None:
        pids = worker_pids(media) if FileQueue(media).has_worker() else []
        return pids[0] if len(pids) == 1 else None

    return wait_for("exactly one worker", look)
