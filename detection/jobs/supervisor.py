"""The thread of the server that keeps one worker process running.

Several server processes may serve one media folder (gunicorn's workers, a second runserver): each has a supervisor,
and the lock that the worker holds decides whose worker it is. The others look after it and step in when it is gone.
"""

from __future__ import annotations

import atexit
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from django.conf import settings

from detection.jobs import queues
from detection.jobs.worker import EXIT_ABANDONED, EXIT_BUSY, EXIT_STOPPED

LOOK_EVERY_S = 2.0
SHORT_LIFE_S = 10.0  # one that ends sooner, without a job, has a fault that a quick restart will not mend
LONGEST_PAUSE_S = 60.0
STOP_WITHIN_S = 12.0  # a little longer than the worker gives its task

SIGNALS_MEAN = {
    "SIGKILL": " (killed, as the system does when memory runs out)",
    "SIGALRM": " (the time limit was over)",
}

logger = logging.getLogger(__name__)


class Supervisor(threading.Thread):
    """Starts the worker, and again when it dies; ends it with the server."""

    def __init__(self, command: list[str]) -> None:
        super().__init__(name="worker-supervisor", daemon=True)
        self._command = command
        self._stopping = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._server = os.getpid()

    def run(self) -> None:
        died: str | None = None
        pause_s = 0.0
        while not self._stopping.wait(pause_s):
            try:
                if queues.has_servers_worker():
                    died, pause_s = None, LOOK_EVERY_S
                    continue
                began_s = time.monotonic()
                status = self._run_worker(died)
                if status == EXIT_BUSY:
                    pause_s = LOOK_EVERY_S
                    continue
                died = how_it_died(status)
                # One that died of a job is replaced at once: no job gets more than its attempts.
                is_own_fault = time.monotonic() - began_s < SHORT_LIFE_S and not queues.has_claimed()
            except OSError:  # whoever looks after the worker must outlive a disk, or open files, that run out
                logger.exception("No worker can be started; another try in %.0f s.", LONGEST_PAUSE_S)
                pause_s = LONGEST_PAUSE_S
                continue
            pause_s = min(max(2 * pause_s, 1.0), LONGEST_PAUSE_S) if is_own_fault else 0.0
            if not self._stopping.is_set():
                logger.warning("The worker ended (%s); another starts in %.0f s.", died or f"status {status}", pause_s)

    def stop(self) -> None:
        """End the worker in an orderly way: a run in progress goes back to the queue."""
        if os.getpid() != self._server:
            return  # a fork of the server, which inherited the exit handler and not the worker
        self._stopping.set()
        process = self._process
        if process is None or process.poll() is not None:
            return
        process.terminate()
        try:
            process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()

    def _run_worker(self, died: str | None) -> int:
        command = [*self._command, "--supervised", str(self._server), *(["--died", died] if died else [])]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        if self._stopping.is_set():  # stop() came before the process was there
            self._process.terminate()
        return self._process.wait()


def how_it_died(status: int) -> str | None:
    """In words, what ended a process with this return code; None when it ended as it should."""
    if status in (EXIT_STOPPED, EXIT_ABANDONED, EXIT_BUSY):
        return None
    if status > 0:
        return f"with exit status {status}"
    known = {number.value: number.name for number in signal.Signals}
    name = known.get(-status, f"signal {-status}")  # the real-time signals have no names
    return f"by {name}" + SIGNALS_MEAN.get(name, "")


_supervisor: Supervisor | None = None


def start() -> None:
    """Have this server process keep a worker, unless DEEPFAKE_START_WORKER says no. Called by `deepfake_site.wsgi`."""
    global _supervisor  # noqa: PLW0603 one per process, as its worker
    if _supervisor is not None or not settings.DEEPFAKE_START_WORKER:
        return
    _supervisor = Supervisor([sys.executable, str(Path(settings.BASE_DIR) / "manage.py"), "worker"])
    _supervisor.start()
    atexit.register(_supervisor.stop)
