"""How files under media/ are written so that a crash, a full disk or a second writer loses nothing."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

LOOK_EVERY_S = 0.02


def sync_folder(folder: Path) -> None:
    """Make renames inside `folder` survive a power failure."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_atomic(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Replace `path` by `data` as a whole: a reader sees the old file or the new one, never a part.

    `durable` also waits until file and folder are on the disk; only what can be made again goes without it.
    Raises OSError; the old file is then untouched.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if durable:
        sync_folder(path.parent)


def within(folder: Path, path: str) -> Path | None:
    """The file that `path` names in `folder`, whether or not it exists; None for one that lies outside."""
    file = (folder / path).resolve()
    return file if file.is_relative_to(folder.resolve()) else None


def age_s(changed_s: float) -> float:
    """How long ago that time of a file was. One in the future was long ago: the clock has been set back since."""
    return abs(time.time() - changed_s)


def remove_left_behind(folder: Path, unchanged_for_s: float) -> int:
    """Remove what `write_atomic` left in `folder` when its process was killed; how many files there were."""
    removed = 0
    for path in folder.glob(".*.tmp"):
        with contextlib.suppress(FileNotFoundError):
            if age_s(path.stat().st_mtime) > unchanged_for_s:
                path.unlink()
                removed += 1
    return removed


@contextlib.contextmanager
def locked(path: Path, *, within_s: float | None = None) -> Iterator[None]:
    """Hold the exclusive lock `path` against other threads and processes; the kernel releases it when a holder dies.

    The lock file stays: removing it would let two holders lock two different files of the same name.
    Raises BlockingIOError when somebody else still holds it after `within_s`; without that it waits.
    """
    descriptor = _open_lock(path)
    try:
        if within_s is None:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        else:
            _lock_within(descriptor, within_s)
        yield
    finally:
        os.close(descriptor)


def _open_lock(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:  # a disk that is closed to writing can still be asked who holds what
        if error.errno not in (errno.EROFS, errno.EACCES) or not path.exists():
            raise
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)


def _lock_within(descriptor: int, seconds: float) -> None:
    deadline_s = time.monotonic() + seconds
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline_s:
                raise
            time.sleep(LOOK_EVERY_S)


def is_locked(path: Path) -> bool:
    """Whether some process holds the lock `path` now. It is taken for an instant to find out (hence `within_s`)."""
    if not path.exists():
        return False
    try:
        with locked(path, within_s=0.0):
            return False
    except BlockingIOError:
        return True
