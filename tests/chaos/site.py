"""The site as `make run` starts it, killed and started again as a service manager would."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path

from tests.chaos import death
from tests.chaos.moments import Victim
from tests.jobs.server import ROOT, environment, free_port, wait_for, worker_pids


class Site:
    """One server with its worker over a media folder, always at the same address."""

    def __init__(self, media: Path, **variables: str) -> None:
        self.media = media
        self.address = f"http://127.0.0.1:{free_port()}"
        self.log = media.parent / "site.log"
        self._variables = environment(media, DJANGO_SETTINGS_MODULE="tests.chaos.settings", **variables)
        self._process: subprocess.Popen[bytes] | None = None
        self._starts = threading.Lock()

    def ensure(self) -> None:
        """Wait until the server answers; one that is gone is started again."""
        wait_for("the server", lambda: self._start_if_gone() or self.answers(), within_s=120)

    def _start_if_gone(self) -> None:
        with self._starts:
            if self._process is not None and self._process.poll() is None:
                return
            command = [sys.executable, "manage.py", "runserver", "--noreload", self.address.removeprefix("http://")]
            with self.log.open("ab") as log:
                self._process = subprocess.Popen(
                    command, cwd=ROOT, env=self._variables, stdout=log, stderr=log, start_new_session=True
                )

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.address}/healthz", timeout=20) as answer:
                return bool(answer.status == 200)
        except (OSError, HTTPException):
            return False

    def kill(self, victim: Victim) -> None:
        if victim in ("server", "both"):
            assert self._process is not None
            self._process.kill()
        if victim in ("worker", "both"):
            for pid in worker_pids(self.media):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        if victim != "worker":
            assert self._process is not None
            self._process.wait()

    def order(self, victim: Victim, step: int) -> None:
        """Let `victim` die at its `step`-th operation on a file."""
        order = death.order_of(self.media, victim)
        order.with_suffix(".new").write_text(str(step))
        order.with_suffix(".new").replace(order)

    def pids(self, victim: Victim) -> set[int]:
        """The processes that the victim is now."""
        if victim == "worker":
            return set(worker_pids(self.media))
        return {self._process.pid} if self._process is not None and self._process.poll() is None else set()

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(60)
        self.kill("both")


@contextlib.contextmanager
def running(media: Path, **variables: str) -> Iterator[Site]:
    site = Site(media, **variables)
    try:
        site.ensure()
        yield site
    except BaseException:
        print(site.log.read_text()[-8000:])
        raise
    finally:
        site.stop()
