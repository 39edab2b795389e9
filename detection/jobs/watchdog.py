"""The thread beside the analysis that sees to it that the worker process ends when it should."""

from __future__ import annotations

import ctypes
import logging
import os
import select
import signal
import socket
import sys
import threading
from collections.abc import Callable

from detection.jobs.control import Control, Interrupt
from detection.vision.confinement import resident_mb

LOOK_EVERY_S = 0.25
GRACE_S = 8.0  # for one step of the analysis, between two calls of progress
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
PR_SET_PDEATHSIG = 1

logger = logging.getLogger(__name__)


class Watchdog(threading.Thread):
    """Turns signals, the end of `parent`, cancellation, `timeout_s` and `memory_mb` into interruptions of `control`.

    A task that does not follow within GRACE_S hangs in native code (a decoder, a network): `abandon` is called, from
    this thread, and has to end the process.
    """

    def __init__(
        self,
        control: Control,
        *,
        timeout_s: float,
        parent: int | None,
        abandon: Callable[[Interrupt], None],
        memory_mb: int | None = None,
    ) -> None:
        super().__init__(name="watchdog", daemon=True)
        self._control = control
        self._timeout_s = timeout_s
        self._memory_mb = memory_mb
        self._parent = parent
        self._abandon = abandon
        self._signals, self._wake = socket.socketpair()
        self._wake.setblocking(False)

    def start(self) -> None:
        """To be called in the main thread: only there can signals be caught."""
        for number in SIGNALS:
            signal.signal(number, lambda *_: None)
        # Python runs its handlers between two of its own instructions, which may be long after native code was
        # entered; the wake-up descriptor is written at once.
        signal.set_wakeup_fd(self._wake.fileno(), warn_on_full_buffer=False)
        if self._parent is not None and sys.platform == "linux":
            ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        super().start()

    def run(self) -> None:
        while True:
            signalled, _, _ = select.select([self._signals], [], [], LOOK_EVERY_S)
            if signalled:
                number = self._signals.recv(64)[-1]
                logger.info("The worker ends: %s.", signal.Signals(number).name)
                self._control.stop()
            elif self._parent is not None and os.getppid() != self._parent and not self._control.stopping:
                logger.info("The worker ends: its server is gone.")
                self._control.stop()
            is_too_large = self._memory_mb is not None and resident_mb() > self._memory_mb
            self._control.watch(self._timeout_s, is_too_large=is_too_large)
            why = self._control.overdue(GRACE_S)
            if why is not None:
                self._abandon(why)
