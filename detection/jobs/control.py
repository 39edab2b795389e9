"""How a running task is interrupted: the watchdog asks, the task stops at its next step of progress."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from enum import StrEnum
from typing import Protocol


class Interrupt(StrEnum):
    CANCEL = "cancel"  # somebody does not want the result any more
    STOP = "stop"  # the worker has to end; the task will be done later
    TIMEOUT = "timeout"  # it took too long
    MEMORY = "memory"  # it took too much memory


class Interrupted(Exception):
    """Raised inside a task that is to stop."""

    def __init__(self, why: Interrupt) -> None:
        super().__init__(why)
        self.why = why


class Interruptible(Protocol):
    """What a running task tells the watchdog, which calls it from another thread."""

    def cancel_requested(self) -> bool: ...

    def settle(self, why: Interrupt) -> None:
        """Write down how the task ended. Also called for a task that hangs, before its process is ended."""
        ...


class Control:
    """One per process. Without a worker around it (`manage.py detect`, a notebook) nothing ever interrupts."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._task: Interruptible | None = None
        self._began_s = 0.0
        self._why: Interrupt | None = None
        self._asked_s = 0.0

    @contextlib.contextmanager
    def running(self, task: Interruptible) -> Iterator[None]:
        """Within it `task` can be interrupted; an interruption that comes too late does not reach the next one."""
        with self._lock:
            self._task, self._began_s = task, time.monotonic()
        try:
            yield
        finally:
            with self._lock:
                self._task = None
                if self._why is not Interrupt.STOP:
                    self._why = None

    def stop(self) -> None:
        """Ask the process to end as soon as its task has stopped."""
        self._stop.set()
        with self._lock:
            if self._why is None:
                self._why, self._asked_s = Interrupt.STOP, time.monotonic()

    @property
    def stopping(self) -> bool:
        return self._stop.is_set()

    def wait(self, seconds: float) -> None:
        """Sleep, but not beyond a stop."""
        self._stop.wait(seconds)

    def check(self) -> None:
        """Raises Interrupted if somebody asked for it."""
        if self._why is not None:
            raise Interrupted(self._why)

    def watch(self, timeout_s: float, *, is_too_large: bool = False) -> None:
        """Interrupt the running task if it was cancelled, has taken longer than `timeout_s` or too much memory."""
        with self._lock:
            if self._task is None or self._why is not None:
                return
            if _is_cancelled(self._task):
                self._why, self._asked_s = Interrupt.CANCEL, time.monotonic()
            elif time.monotonic() - self._began_s > timeout_s:
                self._why, self._asked_s = Interrupt.TIMEOUT, time.monotonic()
            elif is_too_large:
                self._why, self._asked_s = Interrupt.MEMORY, time.monotonic()

    def overdue(self, grace_s: float) -> Interrupt | None:
        """The interruption that was not followed within `grace_s`."""
        with self._lock:
            late = self._why is not None and time.monotonic() - self._asked_s > grace_s
            return self._why if late else None

    def settle(self, why: Interrupt) -> None:
        """Let the running task, if there is one, write down that it was ended from outside."""
        task = self._task
        if task is not None:
            task.settle(why)


def _is_cancelled(task: Interruptible) -> bool:
    """A disk that cannot be asked just now must not end the watchdog, and with it all limits."""
    try:
        return task.cancel_requested()
    except OSError:
        return False


control = Control()
