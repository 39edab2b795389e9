"""The django-tasks back end that needs nothing but media/: jobs are files, one supervised process works them off.

`settings.TASKS` names it; another back end (RQ on Redis) takes its place there without a change to the tasks.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any, cast

from django.conf import settings
from django.utils.module_loading import import_string
from django_tasks.backends.base import BaseTaskBackend
from django_tasks.base import Task, TaskError, TaskResult, TaskResultStatus
from django_tasks.exceptions import TaskResultDoesNotExist
from django_tasks.signals import task_enqueued
from django_tasks.utils import get_random_id, normalize_json

from detection.jobs.queue import FileQueue, Job, file_name
from detection.records.times import now


def file_queue() -> FileQueue:
    return FileQueue(Path(settings.MEDIA_ROOT))


class EmbeddedBackend(BaseTaskBackend):
    """Puts tasks into the file queue, from where `manage.py worker` takes them."""

    supports_get_result = True
    supports_priority = True

    def enqueue(self, task: Task[Any, Any], args: Any, kwargs: Any) -> TaskResult[Any]:
        """Raises OSError when media/ cannot be written; nothing is queued then."""
        self.validate_task(task)
        job_id = get_random_id()
        job = Job(
            id=job_id,
            file=file_name(job_id, task.priority),
            task=task.module_path,
            args=cast("list[Any]", normalize_json(list(args))),
            kwargs=cast("dict[str, Any]", normalize_json(kwargs)),
            priority=task.priority,
            queue=task.queue_name,
            status="READY",
            enqueued_at=now(),
        )
        file_queue().put(job)
        result = task_result(job, self.alias)
        task_enqueued.send(type(self), task_result=result)
        return result

    def get_result(self, result_id: str) -> TaskResult[Any]:
        job = file_queue().find(result_id)
        if job is None:
            raise TaskResultDoesNotExist(result_id)
        return task_result(job, self.alias)


def task_result(job: Job, alias: str) -> TaskResult[Any]:
    """A job as django-tasks shows it."""
    task: Task[Any, Any] = import_string(job.task)
    result: TaskResult[Any] = TaskResult(
        task=task.using(priority=job.priority, queue_name=job.queue),
        id=job.id,
        status=TaskResultStatus[job.status],
        enqueued_at=_time(job.enqueued_at),
        started_at=_time(job.started_at),
        last_attempted_at=_time(job.attempted_at),
        finished_at=_time(job.finished_at),
        args=job.args,
        kwargs=job.kwargs,
        backend=alias,
        errors=[TaskError(exception_class_path=e.exception, traceback=e.traceback) for e in job.errors],
        worker_ids=list(job.workers),
    )
    object.__setattr__(result, "_return_value", job.result)  # as django-tasks' own back ends do: the class is frozen
    return result


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
