"""The queue on Redis, for workers on several machines: django-tasks' RQ back end, and what the pages ask of it.

Redis holds only who does what next. What was asked for and what came of it are the records under media/, which all
machines share: a Redis that lost everything costs no run (`recovery.settle_runs` queues them anew).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import django_rq
from django.conf import settings
from django.utils.functional import cached_property
from django_tasks.base import Task, TaskResult
from django_tasks_rq import Job, RQBackend
from redis.exceptions import RedisError
from rq import Queue
from rq.exceptions import DeserializationError, NoSuchJobError
from rq.job import Job as BaseJob

from detection.jobs import presence
from detection.jobs.queue import QueueUnreachable

QUEUE = "default"
ATTEMPTS = "workers"  # in a job's meta: the names of the workers that took it, one per attempt


class RedisJob(Job):
    """A job whose result tells its attempts."""

    @cached_property
    def task_result(self) -> TaskResult[Any]:
        result: TaskResult[Any] = super().task_result
        object.__setattr__(result, "worker_ids", attempted_by(self) or result.worker_ids)
        return result


def attempted_by(job: BaseJob) -> list[str]:
    """The workers that took the job. RQ itself counts only attempts that came to an end."""
    return list(job.meta.get(ATTEMPTS, []))


class RedisBackend(RQBackend):
    """Puts tasks into the queue on Redis, from where any `manage.py worker` takes them."""

    def enqueue(self, task: Task[Any, Any], args: Any, kwargs: Any) -> TaskResult[Any]:
        """Raises QueueUnreachable; nothing is queued then."""
        try:
            return super().enqueue(task, args, kwargs)
        except RedisError as error:
            raise QueueUnreachable(f"The queue on Redis (DEEPFAKE_QUEUE) cannot be reached: {error}") from error

    def _get_job(self, result_id: str) -> RedisJob | None:
        queue = redis_queue()
        try:
            return cast(RedisJob, RedisJob.fetch(result_id, queue.connection, queue.serializer))
        except NoSuchJobError:
            return None


def redis_queue() -> Queue:
    return cast(Queue, django_rq.get_queue(QUEUE, job_class=RedisJob))


class RedisQueue:
    """What pages, supervisor and recovery ask of the queue; the same questions as `FileQueue` answers."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.rq = redis_queue()

    def has_worker(self) -> bool:
        """Whether a living worker, on whatever machine, serves this queue."""
        return bool(presence.living(self._root))

    def pending(self) -> Iterator[BaseJob]:
        """The jobs that are not finished. Raises RedisError."""
        waiting = [*self.rq.get_job_ids(), *self.rq.intermediate_queue.get_job_ids()]
        started = [job_id for job_id, _ in self.rq.started_job_registry.get_job_and_execution_ids(cleanup=False)]
        for job in RedisJob.fetch_many(
            [*waiting, *started], connection=self.rq.connection, serializer=self.rq.serializer
        ):
            with contextlib.suppress(DeserializationError):
                if job is not None and isinstance(job.args, (list, tuple)):
                    yield job

    def claimed(self) -> list[BaseJob]:
        """The jobs that this machine's server's worker took and did not end. Raises RedisError."""
        return [job for job in self.pending() if job.worker_name == presence.servers_worker()]


def check_connection() -> str | None:
    """Why Redis cannot be used; None if it can."""
    try:
        redis_queue().connection.ping()
    except RedisError as error:
        return str(error).replace(settings.DEEPFAKE_QUEUE, "DEEPFAKE_QUEUE")  # its address may hold a password
    return None
