"""Looks at files in processes of their own, as `detection.vision.preview` does, without starting a Python for each.

`python -m detection.vision.inspector SOCKET PARENT` loads the decoder once and then forks for every request: the child
puts itself under the limits that the request names and looks at one file, so that a decoder that crashes or hangs costs
that answer alone. It ends with the process that started it.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

BEGUN = b"begun\n"
STARTS_WITHIN_S = 30.0
NICENESS = 5  # pages go before looking at files
BEYOND_LIMIT_S = 5.0  # the kernel ends a child at its limit; then nobody waits any more


class Unavailable(Exception):
    """No process for looking at files could be started or reached."""


class Crashed(Exception):
    """The process that looked at the file was ended, by a fault of the decoder or by its limit of time."""


class Inspector:
    """The door to that process for one server process. Safe to use from several threads."""

    def __init__(self, at_once: int | None = None) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._places = threading.BoundedSemaphore(at_once or max(2, os.cpu_count() or 1))

    def ask(self, words: list[str], timeout_s: float) -> tuple[int, str]:
        """Exit status and output of `preview` with these words. Raises Crashed, Unavailable."""
        with self._places:
            for _ in range(2):
                with contextlib.suppress(ConnectionError, FileNotFoundError):
                    return _ask(self._address(), words, timeout_s)
        raise Unavailable("the process that looks at files does not answer")

    def _address(self) -> str:
        """Where the process listens; one that is gone, or another server process' (a fork's), is replaced."""
        with self._lock:
            alive = self._process is not None and self._process.poll() is None and self._owner == os.getpid()
            if not alive:
                self._folder = tempfile.TemporaryDirectory(prefix="facecheck-", ignore_cleanup_errors=True)
                place = Path(self._folder.name) / "inspector"
                self._process = subprocess.Popen(
                    [sys.executable, "-m", __name__, str(place), str(os.getpid())],
                    cwd=Path(__file__).resolve().parents[2],
                    stdin=subprocess.DEVNULL,
                )
                self._owner = os.getpid()
                self._wait_for(place)
            assert self._folder is not None
            return str(Path(self._folder.name) / "inspector")

    def _wait_for(self, place: Path) -> None:
        deadline_s = time.monotonic() + STARTS_WITHIN_S
        assert self._process is not None
        while not place.exists():
            if self._process.poll() is not None or time.monotonic() > deadline_s:
                raise Unavailable("the process that looks at files did not start")
            time.sleep(0.01)


def _ask(address: str, words: list[str], timeout_s: float) -> tuple[int, str]:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(timeout_s + BEYOND_LIMIT_S)
        connection.connect(address)
        connection.sendall(json.dumps(words).encode() + b"\n")
        with connection.makefile("rb") as answers:
            try:
                if answers.readline() != BEGUN:
                    raise ConnectionResetError("nobody took the request")
                answer = answers.readline()
            except TimeoutError:
                raise Crashed(f"no answer within {timeout_s:.0f} s") from None
    if not answer:
        raise Crashed("its process was ended")
    status, output = json.loads(answer)
    return int(status), str(output)


class _Request(socketserver.StreamRequestHandler):
    """In the child that was forked for it."""

    def handle(self) -> None:
        from detection.vision import preview

        words = json.loads(self.rfile.readline())
        self.wfile.write(BEGUN)
        self.wfile.flush()
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            status = preview.main(words)
        self.wfile.write(json.dumps([status, output.getvalue()]).encode() + b"\n")


class _Server(socketserver.ForkingMixIn, socketserver.UnixStreamServer):
    max_children = 256
    request_queue_size = 256

    def __init__(self, address: str, parent: int) -> None:
        self._parent = parent
        super().__init__(address, _Request)

    def service_actions(self) -> None:
        super().service_actions()
        if os.getppid() != self._parent:
            shutil.rmtree(Path(str(self.server_address)).parent, ignore_errors=True)  # the Inspector's, who is gone
            os._exit(0)


def serve(address: str, parent: int) -> None:
    """Until `parent` is gone, which it may be before this has begun."""
    from detection.vision import preview  # noqa: F401 loaded before the first fork

    os.nice(NICENESS)
    place = Path(address)
    unready = place.with_name("starting")
    server = _Server(str(unready), parent)
    unready.rename(place)
    server.serve_forever()


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))
