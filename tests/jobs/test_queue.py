from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from detection.jobs import queue as queues
from detection.jobs.queue import FileQueue, Job, file_name


def job(name: str, priority: int = 0) -> Job:
    return Job(
        id=name,
        file=file_name(name, priority),
        task="tests.jobs.tasks.add",
        args=[1, 2],
        kwargs={},
        priority=priority,
        queue="default",
        status="READY",
        enqueued_at="2026-11-22T10:00:00.000+00:00",
    )


def claim(queue: FileQueue) -> Job | None:
    return queue.claim("worker-1", "2026-11-22T10:00:01.000+00:00")


def test_jobs_come_by_priority_and_then_in_order(queue: FileQueue) -> None:
    for name, priority in (("first", 0), ("second", 0), ("urgent", 100), ("later", -100)):
        queue.put(job(name, priority))
    taken = [claim(queue) for _ in range(4)]
    assert [one and one.id for one in taken] == ["urgent", "first", "second", "later"]
    assert claim(queue) is None


def test_an_attempt_is_counted_before_it_begins(queue: FileQueue) -> None:
    queue.put(job("a"))
    taken = claim(queue)
    assert taken is not None
    assert (taken.status, taken.workers) == ("RUNNING", ("worker-1",))
    assert queue.claimed() == [taken]


def test_a_released_job_keeps_its_place(queue: FileQueue) -> None:
    queue.put(job("a"))
    queue.put(job("b"))
    taken = claim(queue)
    assert taken is not None
    queue.release(taken, counted=False)
    again = claim(queue)
    assert again is not None
    assert (again.id, again.workers) == ("a", ("worker-1",))
    queue.release(again, counted=True)
    third = claim(queue)
    assert third is not None
    assert third.workers == ("worker-1", "worker-1")


def test_a_finished_job_is_found_and_not_claimed(queue: FileQueue) -> None:
    queue.put(job("a"))
    taken = claim(queue)
    assert taken is not None
    queue.finish(replace(taken, status="SUCCESSFUL", result={"sum": 3}))
    found = queue.find("a")
    assert found is not None
    assert (found.status, found.result) == ("SUCCESSFUL", {"sum": 3})
    assert queue.claimed() == []
    assert list(queue.pending()) == []
    assert queue.find("b") is None


def test_every_job_is_claimed_by_one(queue: FileQueue) -> None:
    for number in range(60):
        queue.put(job(f"job-{number}"))
    taken: list[str] = []

    def work() -> None:
        while (mine := claim(queue)) is not None:
            taken.append(mine.id)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == sorted(f"job-{n}" for n in range(60))


def test_a_file_that_is_no_job_is_put_aside(queue: FileQueue, caplog: pytest.LogCaptureFixture) -> None:
    queue.put(job("good"))
    bad = queue.folder / "waiting" / "0000-bad.json"
    bad.write_text("{")
    (queue.folder / "waiting" / ".half.json.123.tmp").write_text("{")
    taken = claim(queue)
    assert taken is not None
    assert taken.id == "good"
    assert (queue.folder / "damaged" / bad.name).exists()
    assert bad.name in caplog.text


def test_only_the_latest_finished_jobs_are_kept(queue: FileQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queues, "FINISHED_KEPT", 3)
    for number in range(5):
        queue.put(job(f"job-{number}"))
        taken = claim(queue)
        assert taken is not None
        queue.finish(replace(taken, status="SUCCESSFUL"))
    queue.prune()
    assert [queue.find(f"job-{n}") is not None for n in range(5)] == [False, False, True, True, True]


def test_an_empty_folder_has_no_jobs(tmp_path: Path) -> None:
    queue = FileQueue(tmp_path / "none")
    assert (queue.claimed(), list(queue.pending()), queue.find("x"), queue.has_worker()) == ([], [], None, False)
