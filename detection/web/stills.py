"""Relit stills, made by one process beside the server: it starts with the first still and ends when none was wanted for
a while. A decoder that crashes, or takes too long, costs this process alone.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from detection.records.schema import Reason
from relitalk.light import Light

IDLE_S = 180.0
TIMEOUT_S = 60.0  # the first still of a large video on a busy machine takes seconds

logger = logging.getLogger(__name__)


class NoStill(Exception):
    """There is none; `reason` says why, where it is known."""

    def __init__(self, message: str, reason: str | None) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True)
class Still:
    """A picture as JPEG, its time in the video, and the light that each face was taken in, from left to right."""

    jpeg: bytes
    time_s: float
    source_lights: tuple[dict[str, float], ...]


class _Stills:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._idle: threading.Timer | None = None
        atexit.register(self._end)

    def make(self, video: Path, time_s: float, light: Light | None) -> Still:
        """Raises NoStill."""
        asked = {"video": str(video), "time_s": time_s, "light": asdict(light) if light else None}
        with self._lock:
            try:
                header, jpeg = self._ask(json.dumps(asked).encode() + b"\n")
            except (OSError, ValueError) as error:
                self._end()
                logger.warning("%s: the process that makes stills ended: %r", video, error)
                raise NoStill("The picture could not be made.", Reason.UNREADABLE.value) from error
            finally:
                self._wait_for_more()
        if "error" in header:
            raise NoStill(header["error"], header["reason"])
        return Still(jpeg, float(header["time_s"]), tuple(header.get("source_lights", ())))

    def _ask(self, line: bytes) -> tuple[dict[str, Any], bytes]:
        process = self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        with _killed_after(process, TIMEOUT_S):
            process.stdin.write(line)
            process.stdin.flush()
            header: dict[str, Any] = json.loads(process.stdout.readline())
            return header, process.stdout.read(header.get("bytes", 0))

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            command = [sys.executable, "-m", "relitalk.still_process"]
            pipe = subprocess.PIPE
            self._process = subprocess.Popen(command, cwd=settings.BASE_DIR, stdin=pipe, stdout=pipe)
        return self._process

    def _wait_for_more(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
        self._idle = threading.Timer(IDLE_S, self._end_if_idle)
        self._idle.daemon = True
        self._idle.start()

    def _end_if_idle(self) -> None:
        if self._lock.acquire(blocking=False):  # else there is work: its end starts a new timer
            try:
                self._end()
            finally:
                self._lock.release()

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                with contextlib.suppress(OSError):
                    pipe.close()  # type: ignore[union-attr]


@contextlib.contextmanager
def _killed_after(process: subprocess.Popen[bytes], seconds: float) -> Iterator[None]:
    timer = threading.Timer(seconds, process.kill)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


_stills = _Stills()


def make_still(video: Path, time_s: float, light: Light | None) -> Still:
    """The picture of `video` at `time_s` under `light`, or as it is. Raises NoStill."""
    return _stills.make(video, time_s, light)
