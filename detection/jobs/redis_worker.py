"""The process that works off the queue on Redis, beside any number of others on other machines.

It is RQ's worker, with this project's rules: the analysis runs in the main thread, so that networks stay loaded; the
watchdog interrupts it; a worker that was stopped puts its job back; the job of one that died is done once more.
"""

from __future__ import annotations

import contextlib
import logging
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Any

from redis.exceptions import RedisError
from rq import Queue, SimpleWorker
from rq.executions import Execution
from rq.job import Job, JobStatus
from rq.timeouts import TimerDeathPenalty
from rq.worker import WorkerStatus

from detection.jobs import limits, presence, recovery
from detection.jobs.control import Control, Interrupt, Interrupted
from detection.jobs.queue import QueueUnreachable
from detection.jobs.redis_queue import ATTEMPTS, RedisJob, RedisQueue, attempted_by
from detection.jobs.watchdog import Watchdog
from detection.jobs.worker import EXIT_ABANDONED, EXIT_BUSY, EXIT_STOPPED, KERNEL_GRACE_S
from detection.records.files import locked
from detection.vision.confinement import end_after

WAIT_S = 1  # for a job, before looking whether this process is to end
WORKER_TTL_S = 60
ORPHANS_EVERY_S = 2.0
RUNS_EVERY_S = 30.0
STRANDED_S = 10.0  # between the queue and a worker, where a job of a living one stays for milliseconds
AFTER_REDIS_ERROR_S = 5.0

ENDED = {JobStatus.FINISHED, JobStatus.FAILED, JobStatus.CANCELED, JobStatus.STOPPED}

logger = logging.getLogger(__name__)

ErrorInfo = tuple[type[BaseException] | None, BaseException | None, TracebackType | None]


class RedisWorker(SimpleWorker):
    """Serves the queue as `name`. `parent` is the process to live and die with, None for a standalone one."""

    job_class = RedisJob
    death_penalty_class = TimerDeathPenalty  # it leaves signals alone; the watchdog looks after the analysis' time
    max_connection_wait_time = AFTER_REDIS_ERROR_S

    def __init__(
        self,
        root: Path,
        name: str,
        control: Control,
        *,
        timeout_s: float,
        parent: int | None = None,
        memory_mb: int | None = None,
    ) -> None:
        self._root = root
        self._control = control
        self._timeout_s = timeout_s
        self._files = RedisQueue(root)
        self._queue = self._files.rq
        super().__init__(
            [self._queue], name, connection=self._queue.connection, worker_ttl=WORKER_TTL_S,
            job_class=RedisJob, serializer=self._queue.serializer, log_job_description=False,
        )  # fmt: skip
        self._watchdog = Watchdog(
            control, timeout_s=timeout_s, parent=parent, abandon=self._abandon, memory_mb=memory_mb
        )
        self._status = EXIT_STOPPED
        self._job: tuple[Job, Execution] | None = None
        self._seen_between_s: dict[str, float] = {}
        self._orphans_s = self._runs_s = -RUNS_EVERY_S

    def run(self, died: str | None = None) -> int:
        """Work until a signal or the end of the parent; the exit status. `died` says how the worker before ended.

        Raises RedisError if Redis cannot be reached at the start; later it waits for it to come back.
        """
        try:
            with presence.announced(self._root, self.name, "redis", limits.device()):
                self._watchdog.start()
                self.connection.delete(self.key)  # of a dead worker of this name: there is no living one
                self.register_birth()
                logger.info("Worker %s serves the queue on Redis.", self.name)
                while not self._control.stopping:
                    self._serve_next(died)
                    died = None
                with contextlib.suppress(RedisError):
                    self.teardown()
        except BlockingIOError:
            return EXIT_BUSY
        return self._status

    def _serve_next(self, died: str | None) -> None:
        try:
            self._tidy(died)
            taken = self.dequeue_job_and_maintain_ttl(WAIT_S, max_idle_time=WAIT_S)
            if taken is not None:
                self.execute_job(*taken)
        except (RedisError, QueueUnreachable, OSError):
            logger.exception("The queue cannot be used; another try in %.0f s.", AFTER_REDIS_ERROR_S)
            self._control.wait(AFTER_REDIS_ERROR_S)
        finally:
            self._job = None

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Call the task, with the attempt counted before it begins."""
        job.meta[ATTEMPTS] = [*attempted_by(job), self.name]
        job.save_meta()
        execution = self.prepare_execution(job)
        self._job = (job, execution)
        end_after(self._timeout_s + KERNEL_GRACE_S)
        try:
            self.perform_job(job, queue, execution)
        finally:
            end_after(0)
        self.set_state(WorkerStatus.IDLE)

    def get_heartbeat_ttl(self, job: Job, working_time: float = 0.0) -> int:
        """How long RQ believes in this worker without hearing of it: its own lock tells sooner that it died."""
        return int(self._timeout_s) + 600

    def _finalize_failure(self, job: Job, queue: Queue, execution: Execution, exc_info: ErrorInfo) -> None:
        error = exc_info[1]
        if isinstance(error, Interrupted) and error.why is Interrupt.STOP:
            self._release(job, execution, counted=False)
            return
        super()._finalize_failure(job, queue, execution, exc_info)
        if isinstance(error, Interrupted) and error.why is Interrupt.MEMORY:
            self._status = EXIT_ABANDONED  # what a file took of it may never come back to this process
            self._control.stop()

    def _release(self, job: Job, execution: Execution | None, *, counted: bool) -> None:
        """Put a job back to the front of the queue. Without `counted` its last attempt is forgotten."""
        if not counted:
            job.meta[ATTEMPTS] = attempted_by(job)[:-1]
        with self.connection.pipeline() as pipeline:
            self._queue.enqueue_job(job, pipeline=pipeline, at_front=True)  # first: it opens the transaction
            self.cleanup_execution(job, pipeline=pipeline, execution=execution)
            pipeline.lrem(self._queue.intermediate_queue_key, 0, job.id)
            pipeline.execute()

    def _tidy(self, died: str | None) -> None:
        """What somebody has to do now and then: whichever worker holds the lock."""
        now_s = time.monotonic()
        if now_s - self._orphans_s < ORPHANS_EVERY_S:
            return
        self._orphans_s = now_s
        with contextlib.suppress(BlockingIOError), locked(self._root / "queue" / "tidy.lock", within_s=0.0):
            self._settle_orphans(died)
            self._settle_stranded(now_s)
            if now_s - self._runs_s >= RUNS_EVERY_S:
                self._runs_s = now_s
                recovery.settle_runs(self._root, self._files)
                recovery.settle_followups(self._root, self._files)
                recovery.settle_evaluations(self._root, self._files)

    def _settle_orphans(self, died: str | None) -> None:
        """Queue the jobs of dead workers again; give up those whose worker died for the second time."""
        for job_id, execution_id in self._queue.started_job_registry.get_job_and_execution_ids(cleanup=False):
            execution = Execution(execution_id, job_id, self.connection)
            job = self._queue.fetch_job(job_id)
            if job is None or job.get_status() in ENDED:
                self.connection.zrem(self._queue.started_job_registry.key, execution.composite_key)
                continue
            attempts = attempted_by(job)
            worker = attempts[-1] if attempts else self.name
            if worker != self.name and presence.is_alive(self._root, worker):
                continue
            execution.worker_name = worker
            how = died if worker == self.name else None
            if len(attempts) < recovery.MAX_ATTEMPTS:
                logger.warning("Job %s is queued again: worker %s ended (%s).", job.args, worker, how or "unknown")
                self._release(job, execution, counted=True)
            else:
                reason = recovery.give_up(self._root, job.func_name or "", job.args, len(attempts), how)
                job.meta.setdefault("_django_tasks_rq_exceptions", []).append(recovery.WORKER_DIED)
                job.save_meta()
                self.handle_job_failure(job, self._queue, exc_string=reason, execution=execution)

    def _settle_stranded(self, now_s: float) -> None:
        """Queue jobs again whose worker died between taking them and beginning."""
        between = set(self._queue.intermediate_queue.get_job_ids())
        self._seen_between_s = {job_id: self._seen_between_s.get(job_id, now_s) for job_id in between}
        for job_id in [each for each, seen_s in self._seen_between_s.items() if now_s - seen_s > STRANDED_S]:
            job = self._queue.fetch_job(job_id)
            if job is None:
                self._queue.intermediate_queue.remove(job_id)
            else:
                self._release(job, None, counted=True)

    def _abandon(self, why: Interrupt) -> None:
        """End this process, whose task hangs. Called by the watchdog."""
        logger.error("Job %s does not stop (%s): the worker process is ended.", self._job and self._job[0].args, why)
        try:
            self._control.settle(why)
            if self._job is not None and why is Interrupt.STOP:
                self._release(*self._job, counted=False)
            elif self._job is not None:
                job, execution = self._job
                error = Interrupted(why)
                self._finalize_failure(job, self._queue, execution, (Interrupted, error, None))
        except Exception:
            logger.exception("What became of the job could not be written down.")
        finally:
            os._exit(EXIT_STOPPED if why is Interrupt.STOP else EXIT_ABANDONED)

    def _install_signal_handlers(self) -> Any:
        """The watchdog has them."""
