"""`detect` reads strangers' files in a child process: one that crashes its decoder, hangs or fills the memory costs
that file its result, and nothing else.

The child is forked before the networks' libraries are loaded, so it costs no start-up, and keeps its networks for
the next file. It reports every step through a pipe, beside which the parent looks at the clock and the memory.
"""

from __future__ import annotations

import ctypes
import logging
import multiprocessing
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import ForkProcess
from pathlib import Path
from types import TracebackType
from typing import Any

from detection.jobs import limits
from detection.jobs.control import Interrupted
from detection.jobs.execution import Execution, ReportProgress, analyse_video
from detection.jobs.reporting import Reporter
from detection.jobs.supervisor import how_it_died
from detection.jobs.watchdog import PR_SET_PDEATHSIG
from detection.records import store
from detection.records.schema import Analysis, RunRecord
from detection.vision.confinement import resident_mb

LOOK_EVERY_S = 0.25

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Request:
    """One file. With a `run_id` the run in the media folder `folder`, otherwise evidence goes below `folder`."""

    path: Path
    sha256: str
    modules: tuple[str, ...]
    folder: Path
    run_id: str | None = None


@dataclass(frozen=True)
class Answer:
    """What became of it: an analysis, or the `problem` that there is none."""

    analysis: Analysis | None = None
    problem: str | None = None


@dataclass(frozen=True)
class _Step:
    stage: str
    done: int
    total: int


class AnalystDied(Exception):
    """The child ended, or had to be ended, in the middle of a file, in `stage` of its analysis."""

    def __init__(self, how: str, stage: str) -> None:
        super().__init__(how)
        self.stage = stage


class Analyst:
    """Analyses one file after another in a child process; a new one takes the place of one that died."""

    def __init__(self, *, timeout_s: float, memory_mb: int) -> None:
        self._timeout_s = timeout_s
        self._memory_mb = memory_mb
        self._process: ForkProcess | None = None
        self._pipe: Connection | None = None

    def __enter__(self) -> Analyst:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.end()

    def analyse(self, request: Request, report: ReportProgress) -> Answer:
        """Raises AnalystDied, and what `report` raises."""
        pipe = self._ready()
        began_s, stage = time.monotonic(), ""
        self._talk(stage, lambda: pipe.send(request))
        while True:
            message = self._talk(stage, lambda: pipe.recv() if pipe.poll(LOOK_EVERY_S) else None)
            if isinstance(message, Answer):
                return message
            if message is not None:
                stage = message.stage
                report(message.stage, message.done, message.total)
            if (excess := self._excess(time.monotonic() - began_s)) is not None:
                self.end()
                raise AnalystDied(excess, stage)

    def _talk(self, stage: str, say: Callable[[], Any]) -> Any:
        """What `say` gives over the pipe, whose other end goes with the process. Raises AnalystDied."""
        try:
            return say()
        except (EOFError, OSError):
            raise AnalystDied(f"its process ended {self._how_it_ended()}", stage) from None

    def end(self) -> None:
        """At once, whatever it does; who asked for it writes down what became of the file."""
        if self._process is not None and self._pipe is not None:
            self._process.kill()
            self._process.join()
            self._pipe.close()
        self._process = self._pipe = None

    def _ready(self) -> Connection:
        if self._process is None or self._pipe is None or not self._process.is_alive():
            self.end()
            context = multiprocessing.get_context("fork")
            self._pipe, theirs = context.Pipe()
            self._process = context.Process(target=_serve, args=(theirs, self._pipe), name="analyst", daemon=True)
            self._process.start()
            theirs.close()
        return self._pipe

    def _excess(self, seconds: float) -> str | None:
        assert self._process is not None
        if seconds > self._timeout_s:
            return f"it took longer than {self._timeout_s:.0f} s (DEEPFAKE_RUN_TIMEOUT_S)"
        if resident_mb(self._process.pid or 0) > self._memory_mb:
            return f"it took more than {self._memory_mb} MB of memory (DEEPFAKE_MAX_MEMORY_MB)"
        return None

    def _how_it_ended(self) -> str:
        assert self._process is not None
        self._process.join(LOOK_EVERY_S)
        status = self._process.exitcode
        self.end()
        return (how_it_died(status) if status else None) or "for an unknown cause"


def _serve(requests: Connection, other_end: Connection) -> None:
    """The child's life."""
    other_end.close()  # or it would never notice that the parent is gone
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches both; the parent ends this one
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    limits.confine()

    def report(stage: str, done: int, total: int) -> None:
        requests.send(_Step(stage, done, total))

    while True:
        try:
            request = requests.recv()
            requests.send(_answer(request, report))
        except (EOFError, OSError):
            return


def _answer(request: Request, report: ReportProgress) -> Answer:
    try:
        if request.run_id is None:
            return Answer(analyse_video(request.path, request.sha256, request.modules, request.folder, report))
        return Answer(_finish(request, request.run_id, report).analysis)
    except Interrupted as interruption:
        excess = limits.excess(interruption.why)
        return Answer(problem=f"The analysis took {excess}." if excess else "The run was cancelled on the site.")
    except Exception as error:
        logger.debug("The analysis of %s failed.", request.path, exc_info=True)
        return Answer(problem=f"The analysis failed: {str(error) or type(error).__name__}")


def _finish(request: Request, run_id: str, report: ReportProgress) -> RunRecord:
    recorder = Reporter(request.folder, run_id, request.modules)

    def report_twice(stage: str, done: int, total: int) -> None:
        recorder(stage, done, total)
        report(stage, done, total)

    with store.life_of(request.folder, run_id).holding():
        finished = Execution(request.folder, run_id).analyse(store.load_run(request.folder, run_id), report_twice)
        recorder.finished()
        return finished
