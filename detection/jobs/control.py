"""How a running task is interrupted: the watchdog asks, the task stops at its next step of progress."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from enum import StrEnum
from typing import Protocol


class Interrupt(StrEnum):
    CANCEL = "cancel"  # somebody does not want the result any more
    STOP = "stop"  # the worker has to end; the task will be done later
    TIMEOUT = "timeout"  # it took too long


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
    """One per process. Without a worker around it (`manage.py detect`, tests) nothing ever interrupts."""

    def __init__(self) -> None:
        self.task: Interruptible | None = None
        self._why: Interrupt | None = None
        self._since_s = 0.0

    @contextlib.contextmanager
    def running(self, task: Interruptible) -> Iterator[None]:
        """Within it the watchdog may interrupt `task`."""
        self.task = task
        try:
            yield
        finally:
            self.task = None

    def interrupt(self, why: Interrupt) -> None:
        """Ask for an end; the first reason stays."""
        if self._why is None:
            self._since_s = time.monotonic()
            self._why = why

    def clear(self) -> None:
        self._why = None

    def check(self) -> None:
        """Raises Interrupted if somebody asked for it."""
        if self._why is not None:
            raise Interrupted(self._why)

    def overdue(self, grace_s: float) -> Interrupt | None:
        """The interruption that the task has not followed for `grace_s`."""
        why = self._why
        return why if why is not None and time.monotonic() - self._since_s > grace_s else None


control = Control()
