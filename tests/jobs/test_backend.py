from __future__ import annotations

from pathlib import Path

import pytest
from django_tasks import TaskResultStatus, task_backends
from django_tasks.exceptions import InvalidTaskError, TaskResultDoesNotExist

from detection.jobs.backend import EmbeddedBackend
from detection.jobs.control import Control
from detection.jobs.queue import FileQueue
from detection.jobs.worker import Worker
from tests.jobs import tasks


def work_off(media: Path) -> None:
    """What the worker does with each job, without the process around it."""
    worker = Worker(media, Control(), timeout_s=60)
    while (job := worker._queue.claim(worker.id, "2026-11-22T10:00:00.000+00:00")) is not None:
        worker._execute(job)


def test_the_settings_name_it(media: Path) -> None:
    assert isinstance(task_backends["default"], EmbeddedBackend)


def test_a_task_waits_until_it_is_worked_off(media: Path) -> None:
    result = tasks.add.enqueue(2, b=3)
    assert result.status is TaskResultStatus.READY
    work_off(media)
    result.refresh()
    assert result.status is TaskResultStatus.SUCCESSFUL
    assert result.return_value == 5
    assert tasks.add.get_result(result.id).worker_ids
    assert result.started_at is not None
    assert result.finished_at is not None


def test_a_failure_is_kept_with_its_traceback(media: Path) -> None:
    result = tasks.fail.enqueue("no luck")
    work_off(media)
    result.refresh()
    assert result.status is TaskResultStatus.FAILED
    assert result.errors[0].exception_class is RuntimeError
    assert "no luck" in result.errors[0].traceback


def test_a_task_gets_its_context(media: Path) -> None:
    result = tasks.attempt.enqueue()
    work_off(media)
    result.refresh()
    assert result.return_value == 1


def test_a_task_that_is_gone_fails_and_does_not_end_the_worker(media: Path) -> None:
    lost = tasks.add.enqueue(1, 1)
    after = tasks.add.enqueue(2, 2)
    (path,) = (media / "queue" / "waiting").glob(f"*{lost.id}.json")
    path.write_text(path.read_text().replace("tests.jobs.tasks.add", "tests.jobs.tasks.gone"))
    work_off(media)
    after.refresh()
    assert after.return_value == 4


def test_what_does_not_exist_is_not_found(media: Path) -> None:
    with pytest.raises(TaskResultDoesNotExist):
        tasks.add.get_result("x" * 32)


def test_priorities_are_kept_and_deferred_tasks_refused(media: Path) -> None:
    urgent = tasks.add.using(priority=50).enqueue(1, 1)
    assert urgent.task.priority == 50
    assert tasks.add.get_result(urgent.id).task.priority == 50
    from django.utils import timezone

    with pytest.raises(InvalidTaskError):
        tasks.add.using(run_after=timezone.now())


def test_a_job_in_hand_when_the_disk_fails_is_done_again(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = tasks.add.enqueue(2, 3)
    worker = Worker(media, Control(), timeout_s=60)
    monkeypatch.setattr("detection.jobs.worker.AFTER_DISK_ERROR_S", 0.0)
    with monkeypatch.context() as patch:
        patch.setattr(FileQueue, "finish", lambda *_: (_ for _ in ()).throw(OSError("No space left on device")))
        worker._serve_next()
    result.refresh()
    assert result.status is TaskResultStatus.RUNNING
    worker._serve_next()
    result.refresh()
    assert (result.return_value, result.attempts) == (5, 2)
