"""The process that works off the queue: one job at a time, networks kept loaded in between.

The analysis runs in the main thread. Beside it a watchdog thread notices signals, the end of the server, a run that
was cancelled and one that takes too long; it asks the task to stop and ends the process if the task does not.
"""

from __future__ import annotations

import contextlib
import logging
import os
import time
from dataclasses import replace
from pathlib import Path

from django_tasks.base import TaskContext
from django_tasks.signals import task_finished, task_started
from django_tasks.utils import get_exception_traceback, get_module_path, normalize_json

from detection.jobs import limits, presence, recovery
from detection.jobs.backend import EmbeddedBackend, task_result
from detection.jobs.control import Control, Interrupt, Interrupted
from detection.jobs.queue import FileQueue, Job, JobError
from detection.jobs.watchdog import Watchdog
from detection.records.files import locked
from detection.records.times import now
from detection.vision.confinement import end_after

IDLE_S = 0.2
TIDY_EVERY_S = 30.0
LOCK_WITHIN_S = 1.0  # a page may be looking whether it is held
AFTER_DISK_ERROR_S = 5.0
KERNEL_GRACE_S = 30.0  # beyond the time limit: for native code that lets not even the watchdog run

NICENESS = 5
OOM_SCORE = 500  # of 1000: as if it used half of the memory on top of what it uses

EXIT_STOPPED = 0
EXIT_ABANDONED = 70  # a task hung and was ended together with the process (EX_SOFTWARE)
EXIT_BUSY = 75  # another worker serves this queue (EX_TEMPFAIL)

logger = logging.getLogger(__name__)


class Worker:
    """Serves the queue of one media folder. `parent` is the process to live and die with, None for a standalone one.

    A job that takes longer than `timeout_s` or more than `memory_mb` is ended, together with the process if need be.
    """

    def __init__(
        self, root: Path, control: Control, *, timeout_s: float, parent: int | None = None, memory_mb: int | None = None
    ) -> None:
        self.id = presence.handmade_worker()
        self._root = root
        self._queue = FileQueue(root)
        self._control = control
        self._timeout_s = timeout_s
        self._watchdog = Watchdog(
            control, timeout_s=timeout_s, parent=parent, abandon=self._abandon, memory_mb=memory_mb
        )
        self._status = EXIT_STOPPED
        self._job: Job | None = None
        self._has_orphans = True
        self._orphaned: str | None = None  # how the process ended that left jobs claimed
        self._tidied_s = -TIDY_EVERY_S

    def run(self, died: str | None = None) -> int:
        """Work until a signal or the end of the parent; the exit status. `died` says how the worker before ended."""
        self._queue.prepare()
        self._orphaned = died
        try:
            with (
                locked(self._queue.lock, within_s=LOCK_WITHIN_S),
                presence.announced(self._root, self.id, "files", limits.device()),
            ):
                self._watchdog.start()
                logger.info("Worker %s serves %s.", self.id, self._queue.folder)
                while not self._control.stopping:
                    self._serve_next()
        except BlockingIOError:
            return EXIT_BUSY
        return self._status

    def _serve_next(self) -> None:
        try:
            if self._has_orphans:
                recovery.settle_orphans(self._root, self._queue, self._orphaned)
                self._has_orphans = False
            job = self._queue.claim(self.id, now())
            if job is not None:
                self._job = job
                self._execute(job)
                return
            if time.monotonic() - self._tidied_s >= TIDY_EVERY_S:
                recovery.settle_runs(self._root, self._queue)
                recovery.settle_followups(self._root, self._queue)
                recovery.settle_evaluations(self._root, self._queue)
                self._queue.prune()
                self._tidied_s = time.monotonic()
            self._control.wait(IDLE_S)
        except OSError:
            logger.exception("The queue cannot be used; another try in %.0f s.", AFTER_DISK_ERROR_S)
            self._has_orphans, self._orphaned = True, "by an error of the disk"  # the job in hand, if there was one
            self._control.wait(AFTER_DISK_ERROR_S)
        finally:
            self._job = None

    def _execute(self, job: Job) -> None:
        try:
            end_after(self._timeout_s + KERNEL_GRACE_S)
            value = self._call(job)
        except Interrupted as interruption:
            logger.info("Job %s %s was interrupted: %s.", job.id, job.args, interruption.why)
            if interruption.why is Interrupt.STOP:
                self._queue.release(job, counted=False)
            else:
                self._finish(_failed(job, interruption))
            if interruption.why is Interrupt.MEMORY:  # what a file took of it may never come back to this process
                self._status = EXIT_ABANDONED
                self._control.stop()
        except (Exception, SystemExit) as error:
            logger.exception("Job %s %s failed.", job.id, job.args)
            self._finish(_failed(job, error))
        else:
            self._finish(replace(job, status="SUCCESSFUL", result=value, finished_at=now()))
        finally:
            end_after(0)

    def _call(self, job: Job) -> object:
        result = task_result(job, "default")
        task_started.send(EmbeddedBackend, task_result=result)
        context = (TaskContext(task_result=result),) if result.task.takes_context else ()
        return normalize_json(result.task.call(*context, *job.args, **job.kwargs))

    def _finish(self, job: Job) -> None:
        self._queue.finish(job)
        with contextlib.suppress(ImportError):  # a task that the program does not have any more
            task_finished.send(EmbeddedBackend, task_result=task_result(job, "default"))

    def _abandon(self, why: Interrupt) -> None:
        """End this process, whose task hangs. Called by the watchdog."""
        job = self._job
        logger.error("Job %s does not stop (%s): the worker process is ended.", job and job.args, why)
        try:
            self._control.settle(why)
            if job is not None and why is Interrupt.STOP:
                self._queue.release(job, counted=False)
            elif job is not None:
                self._queue.finish(_failed(job, Interrupted(why)))
        except Exception:
            logger.exception("What became of the job could not be written down.")
        finally:
            os._exit(EXIT_STOPPED if why is Interrupt.STOP else EXIT_ABANDONED)


def give_way_to_the_server() -> None:
    """Let pages go before analyses where the processor is short, and this process die first where memory is."""
    os.nice(NICENESS)
    with contextlib.suppress(OSError):  # Linux only
        Path("/proc/self/oom_score_adj").write_text(str(OOM_SCORE))


def _failed(job: Job, error: BaseException) -> Job:
    problem = JobError(get_module_path(type(error)), get_exception_traceback(error))
    return replace(job, status="FAILED", errors=(*job.errors, problem), finished_at=now())
