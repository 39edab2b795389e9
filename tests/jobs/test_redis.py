"""The queue on Redis: a real Redis, real worker processes, and what happens when one of them dies."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django_tasks import TaskResultStatus, task_backends

from detection import jobs
from detection.jobs import presence, recovery, redis_worker
from detection.jobs.control import Control
from detection.jobs.queue import QueueUnreachable
from detection.jobs.redis_queue import RedisBackend, RedisQueue, check_connection
from detection.modules import MODULES
from detection.records import query, store, uploads
from detection.records.schema import RunRecord, RunState
from tests.clips import write_astronaut
from tests.jobs import doubles, tasks
from tests.jobs.redis_server import RedisServer, refused_worker, running_redis, workers
from tests.jobs.server import serving, wait_for

pytestmark = pytest.mark.slow

CLIPS = 20


@pytest.fixture(scope="module")
def redis_server() -> Iterator[RedisServer]:
    yield from running_redis()


@pytest.fixture
def url(redis_server: RedisServer, media: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of an empty Redis that this process' tasks go to."""
    if not redis_server.answers():
        redis_server.start()
    settings.DEEPFAKE_QUEUE = redis_server.url
    settings.RQ_QUEUES = {"default": {"URL": redis_server.url, "SERIALIZER": "json", "DEFAULT_TIMEOUT": -1}}
    settings.TASKS = {"default": {"BACKEND": "detection.jobs.redis_queue.RedisBackend", "QUEUES": []}}
    RedisQueue(media).rq.connection.flushall()
    for spec in doubles.SPECS:
        monkeypatch.setitem(MODULES, spec.key, spec)
    return redis_server.url


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("clips")
    return [write_astronaut(folder / f"{n}.mp4", frames=6, mark=n) for n in range(CLIPS)]


def start(media: Path, clips: list[Path], module: str) -> list[str]:
    chosen = []
    for clip in clips:
        with clip.open("rb") as file:
            chosen.append(uploads.add_stream(media, clip.name, uploads.read_chunks(file)).sha256)
    return jobs.start(chosen, [module])


def ended(media: Path, run_ids: list[str]) -> list[RunRecord]:
    def look() -> list[RunRecord] | None:
        records = [store.load_run(media, run_id) for run_id in run_ids]
        return records if all(record.state.is_final for record in records) else None

    return wait_for(f"the end of {len(run_ids)} runs", look, within_s=240)


def in_the_middle(run_id: str) -> None:
    def look() -> bool:
        step = jobs.progress(run_id).step
        return step is not None and step.stage in MODULES

    wait_for(f"run {run_id} in the middle", look)


def log_rows(media: Path) -> list[str]:
    return [row.id for row in query.history(media).page(limit=10**6).rows]


def test_a_task_goes_through_redis_and_its_result_comes_back(media: Path, url: str) -> None:
    assert isinstance(task_backends["default"], RedisBackend)
    good, bad = tasks.add.enqueue(2, b=3), tasks.fail.enqueue("no luck")
    context = tasks.attempt.enqueue()
    assert good.status is TaskResultStatus.READY
    with workers(media, url, "one"):
        wait_for("the end of the last", lambda: tasks.attempt.get_result(context.id).is_finished)
        for result in (good, bad, context):
            result.refresh()
    assert (good.status, good.return_value, good.worker_ids) == (TaskResultStatus.SUCCESSFUL, 5, ["one"])
    assert bad.status is TaskResultStatus.FAILED
    assert "no luck" in bad.errors[0].traceback
    assert context.return_value == 1


def test_of_twenty_clips_and_two_workers_one_of_which_is_killed_each_run_ends_once(
    media: Path, url: str, clips: list[Path]
) -> None:
    with workers(media, url, "first", "second") as (first, second):
        assert {worker.name for worker in presence.living(media)} == {"first", "second"}
        run_ids = start(media, clips, "quick")
        queue = RedisQueue(media)

        def is_held_in_the_middle() -> bool:
            """Both are at work with part of the batch done, and the first is frozen with a run in hand."""
            if len(queue.rq.get_job_ids()) > CLIPS - 5:
                return False
            os.kill(first.process.pid, signal.SIGSTOP)
            taken = {job.worker_name: job for job in queue.pending() if job.worker_name}
            mine = taken.get("first")
            if "second" in taken and mine and jobs.progress(mine.args[0]).state is RunState.RUNNING:
                return True
            os.kill(first.process.pid, signal.SIGCONT)
            return False

        wait_for("both at work, in the middle of the batch", is_held_in_the_middle)
        first.process.kill()
        records = ended(media, run_ids)
        assert {record.state for record in records} == {RunState.DONE}
        assert [record.error for record in records] == [None] * CLIPS
        assert sum(record.attempts for record in records) == CLIPS + 1  # the one in hand was begun twice
        assert sorted(log_rows(media)) == sorted(run_ids)  # once each in the history
        assert store.active_ids(media) == []
        assert second.process.poll() is None


def test_the_real_analysis_runs_on_it(media: Path, url: str, tmp_path: Path) -> None:
    clip = write_astronaut(tmp_path / "clip.mp4", frames=30)
    with workers(media, url, "gpu-1"):
        (record,) = ended(media, start(media, [clip], "space"))
    assert record.state is RunState.DONE
    assert record.analysis is not None
    assert record.analysis.modules["space"].score is not None


def test_a_run_is_cancelled_and_tried_again(media: Path, url: str, clips: list[Path]) -> None:
    with workers(media, url, "one"):
        running, waiting = start(media, clips[:2], "slow")
        in_the_middle(running)
        jobs.cancel(waiting)
        jobs.cancel(running)
        assert [record.state for record in ended(media, [running, waiting])] == [RunState.CANCELLED] * 2
        jobs.retry(running)
        (record,) = ended(media, [running])
        assert (record.state, record.attempts) == (RunState.DONE, 1)


def test_a_run_that_kills_its_workers_fails_at_the_second_with_the_reason(
    media: Path, url: str, clips: list[Path]
) -> None:
    (poison,) = start(media, clips[:1], "crashing")
    with workers(media, url, "one", "two", "three"):
        (record,) = ended(media, [poison])
        assert (record.state, record.attempts) == (RunState.FAILED, 2)
        assert "died 2 times" in (record.error or "")
        wait_for("the job's end", lambda: not list(RedisQueue(media).pending()))
        assert len(presence.living(media)) == 1


def test_a_stopped_worker_puts_its_run_back_without_counting_it(media: Path, url: str, clips: list[Path]) -> None:
    with workers(media, url, "one") as (one,):
        (run_id,) = start(media, clips[:1], "slow")
        in_the_middle(run_id)
        one.process.terminate()
        assert one.process.wait(30) == 0
    record = store.load_run(media, run_id)
    assert (record.state, record.attempts) == (RunState.QUEUED, 0)
    with workers(media, url, "one"):  # the same name again, at once
        (record,) = ended(media, [run_id])
    assert (record.state, record.attempts) == (RunState.DONE, 1)


def test_a_server_keeps_a_worker_and_tells_how_it_died(media: Path, url: str, clips: list[Path]) -> None:
    with serving(media, "--noreload", DEEPFAKE_QUEUE=url) as server:
        wait_for("the worker", lambda: jobs.queue_state().worker_alive)
        assert [worker.name for worker in presence.living(media)] == [presence.servers_worker()]
        poison, after = start(media, clips[:1], "crashing") + start(media, clips[1:2], "slow")
        failed, done = ended(media, [poison, after])
        assert (failed.state, failed.attempts) == (RunState.FAILED, 2)
        assert "SIGSEGV" in (failed.error or "")
        assert done.state is RunState.DONE
        server.stop()


def test_two_workers_of_one_name_are_refused(media: Path, url: str) -> None:
    with workers(media, url, "one"):
        status, said = refused_worker(media, url, "one")
    assert status == 75
    assert "lives already" in said


def test_a_worker_without_redis_says_so(media: Path, url: str) -> None:
    status, said = refused_worker(media, "redis://127.0.0.1:1/0", "one")
    assert status == 1
    assert "DEEPFAKE_QUEUE" in said


def test_a_redis_that_forgot_everything_costs_no_run(
    media: Path, url: str, redis_server: RedisServer, clips: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovery, "GRACE_S", 0.0)
    before = start(media, clips[:1], "slow")
    redis_server.stop()
    assert check_connection() is not None
    during = start(media, clips[1:2], "slow")  # recorded, though nobody can be told
    redis_server.start()
    recovery.settle_runs(media, RedisQueue(media))
    assert [job.args[0] for job in RedisQueue(media).pending()] == [*before, *during]
    with workers(media, url, "one"):
        assert {record.state for record in ended(media, [*before, *during])} == {RunState.DONE}


def test_a_redis_that_goes_away_between_two_questions_ends_no_worker(
    media: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Path] = []

    def settle_runs(root: Path, _: object) -> None:
        asked.append(root)
        raise QueueUnreachable("it answered what waits, and not the run that is put there now")

    monkeypatch.setattr(recovery, "settle_runs", settle_runs)
    monkeypatch.setattr(redis_worker, "AFTER_REDIS_ERROR_S", 0.0)
    with presence.announced(media, "one", "redis"):
        redis_worker.RedisWorker(media, "one", Control(), timeout_s=60)._serve_next(None)
    assert asked == [media]
