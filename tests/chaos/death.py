"""Ends a process by SIGKILL at its n-th operation on a file below media/, or lets the disk be closed to writing.

Orders are files beside media/: `die-worker` or `die-server` holds the number, `read-only` needs no content. They are
looked for with every operation, so that a process which runs already can be given one. A process that dies takes its
order along: the one that comes after it lives.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate"}
# Locks hold no content; progress is written many times a second and read by nobody after a crash.
OF_NO_RECORD = ("lock", ".holder", "progress.json", ".jpg", ".png", ".mp4")


def order_of(media: Path, role: str) -> Path:
    return media.parent / f"die-{role}"


def read_only_flag(media: Path) -> Path:
    return media.parent / "read-only"


def install(media: Path) -> None:
    role = "worker" if "worker" in sys.argv else "server"
    death = _Death(media, order_of(media, role), read_only_flag(media))
    sys.addaudithook(death.hook)
    os.fsync = death.before(os.fsync, death.at_descriptor)  # type: ignore[assignment]
    os.write = death.in_the_middle(os.write)  # type: ignore[assignment]


class _Death:
    def __init__(self, media: Path, order: Path, read_only: Path) -> None:
        self._media = f"{media}/"
        self._order, self._read_only = str(order), str(read_only)
        self._left: int | None = None
        self._looks = False

    def hook(self, event: str, args: tuple[Any, ...]) -> None:
        if event != "open" and event not in CHANGES:
            return
        if event == "open" and not (isinstance(args[2], int) and args[2] & WRITES):
            return
        path = os.fspath(args[0]) if isinstance(args[0], (str, os.PathLike)) else ""
        if event == "os.mkdir" and os.path.isdir(path):  # noqa: PTH112 the kernel says so before anything else
            return
        if isinstance(path, str) and path.startswith(self._media):
            self._operate(path)

    def at_descriptor(self, descriptor: int) -> None:
        path = self._path_of(descriptor)
        if path.startswith(self._media):
            self._operate(path)

    @staticmethod
    def before(call: Callable[..., Any], look: Callable[[int], None]) -> Callable[..., Any]:
        def wrapped(descriptor: int) -> Any:
            look(descriptor)
            return call(descriptor)

        return wrapped

    def in_the_middle(self, write: Callable[..., int]) -> Callable[..., int]:
        """A write that dies has written half."""

        def wrapped(descriptor: int, data: Any) -> int:
            path = self._path_of(descriptor)
            if path.startswith(self._media) and self._is_last(path):
                write(descriptor, bytes(data)[: len(data) // 2])
                os.kill(os.getpid(), signal.SIGKILL)
            return write(descriptor, data)

        return wrapped

    def _operate(self, path: str) -> None:
        if self._looks:  # its own look at the orders
            return
        if os.path.exists(self._read_only):  # noqa: PTH110 as little as possible may happen in a hook
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), path)
        if self._is_last(path):
            os.kill(os.getpid(), signal.SIGKILL)

    def _is_last(self, path: str) -> bool:
        if path.rstrip("/").endswith(OF_NO_RECORD):
            return False
        if self._left is None:
            self._left = self._take_order()
        if self._left is None:
            return False
        self._left -= 1
        return self._left <= 0

    def _take_order(self) -> int | None:
        self._looks = True
        try:
            with open(self._order) as file:  # noqa: PTH123
                number = int(file.read() or 0)
            os.unlink(self._order)  # noqa: PTH108
            return number or None
        except (OSError, ValueError):
            return None
        finally:
            self._looks = False

    @staticmethod
    def _path_of(descriptor: int) -> str:
        try:
            return os.readlink(f"/proc/self/fd/{descriptor}")  # noqa: PTH115
        except OSError:
            return ""
