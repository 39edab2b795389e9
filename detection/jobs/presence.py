"""Which workers live: each holds a lock under media/queue/workers, beside a file that says who it is.

The kernel gives the lock back when a process dies, however it dies, so nobody has to wait for a heartbeat that stays
away. Where workers on several machines share media/, its file system must carry locks between them (NFSv4 does).
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from detection.records import codec
from detection.records.files import is_locked, locked, write_atomic
from detection.records.times import now
from detection.vision.confinement import resident_mb

LOCK_WITHIN_S = 1.0  # a page may be looking whether it is held
FORGET_AFTER_S = 24 * 3600.0
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}")


@dataclass(frozen=True)
class WorkerInfo:
    """A worker process. `queue` is "files" or "redis", `device` where its networks run: "cpu" or "cuda"."""

    name: str
    host: str
    pid: int
    queue: str
    started_at: str
    device: str = ""

    @property
    def memory_mb(self) -> float | None:
        """What it holds in memory; None for one on another machine."""
        return resident_mb(self.pid) if self.host == host() else None


def host() -> str:
    """This machine's name, as far as it can be part of a file's name."""
    return re.sub(r"[^A-Za-z0-9_.-]", "-", socket.gethostname())[:60] or "host"


def servers_worker() -> str:
    """The name of the worker that the server of this machine keeps, where there are several machines."""
    return f"{host()}-server"


def handmade_worker() -> str:
    """The name of a worker that was started without one."""
    return f"{host()}-{os.getpid()}"


def checked_name(name: str) -> str:
    """Raises ValueError for what cannot be part of a file's name."""
    if not NAME.fullmatch(name):
        raise ValueError(f"{name!r} cannot be a worker's name: letters, digits, dot, - and _ make one, up to 80.")
    return name


@contextlib.contextmanager
def announced(root: Path, name: str, queue: str, device: str = "") -> Iterator[WorkerInfo]:
    """Be known as the living worker `name`. Raises BlockingIOError if there is one."""
    folder = _folder(root)
    folder.mkdir(parents=True, exist_ok=True)
    info = WorkerInfo(name, host(), os.getpid(), queue, now(), device)
    with locked(folder / f"{name}.lock", within_s=LOCK_WITHIN_S):
        write_atomic(folder / f"{name}.json", codec.to_json(info), durable=False)
        _forget_the_dead(folder)
        try:
            yield info
        finally:
            (folder / f"{name}.json").unlink(missing_ok=True)


def is_alive(root: Path, name: str) -> bool:
    """Whether the worker of that name lives."""
    return is_locked(_folder(root) / f"{name}.lock")


def living(root: Path) -> list[WorkerInfo]:
    """The workers that live, by name."""
    folder = _folder(root)
    found = []
    for path in sorted(folder.glob("*.json")) if folder.is_dir() else ():
        with contextlib.suppress(FileNotFoundError, ValueError, codec.ValidationError):
            info = codec.converter.loads(path.read_bytes(), WorkerInfo)
            if is_alive(root, info.name):
                found.append(info)
    return found


def _forget_the_dead(folder: Path) -> None:
    """Names that hold a process id are many in the long run."""
    for lock in folder.glob("*.lock"):
        with contextlib.suppress(FileNotFoundError, BlockingIOError):
            if time.time() - lock.stat().st_mtime > FORGET_AFTER_S:
                with locked(lock, within_s=0.0):
                    lock.with_suffix(".json").unlink(missing_ok=True)
                    lock.unlink()


def _folder(root: Path) -> Path:
    return root / "queue" / "workers"
