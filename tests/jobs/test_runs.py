from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from detection import jobs
from detection.jobs import batches
from detection.jobs.queue import FileQueue
from detection.records import lifecycle, query, store, upload_trash
from detection.records.files import locked
from detection.records.schema import RunState
from detection.records.uploads import UploadNotFound
from tests.records import make


def running(media: Path, run_id: str) -> None:
    store.update_run(media, run_id, lambda r: replace(r, state=RunState.RUNNING, attempts=1))


def failed(media: Path, run_id: str) -> None:
    store.finish_run(media, run_id, RunState.FAILED, error="no luck")


def test_start_queues_one_run_per_file(media: Path, queue: FileQueue) -> None:
    files = [make.upload(media, name.encode(), name) for name in ("a.mp4", "b.mp4")]
    ids = jobs.start([file.sha256 for file in files], ["space", "feature"])
    runs = [store.load_run(media, run_id) for run_id in ids]
    assert [run.video_name for run in runs] == ["a.mp4", "b.mp4"]
    assert {run.state for run in runs} == {RunState.QUEUED}
    assert {run.modules for run in runs} == {("space", "feature")}
    assert [job.args for job in queue.pending()] == [[run_id] for run_id in ids]


@pytest.mark.parametrize("modules", [[], ["nonsense"], ["space", "nonsense"]])
def test_start_refuses_unknown_modules(media: Path, queue: FileQueue, modules: list[str]) -> None:
    file = make.upload(media)
    with pytest.raises(jobs.UnknownModule):
        jobs.start([file.sha256], modules)
    assert (list(store.run_ids(media)), list(queue.pending())) == ([], [])


def test_start_queues_nothing_when_one_file_is_missing(media: Path, queue: FileQueue) -> None:
    file = make.upload(media)
    with pytest.raises(UploadNotFound):
        jobs.start([file.sha256, "0" * 64], ["space"])
    assert (list(store.run_ids(media)), list(queue.pending())) == ([], [])


def test_progress_tells_the_place_in_the_queue(media: Path) -> None:
    files = [make.upload(media, name.encode(), name) for name in ("a.mp4", "b.mp4")]
    first, second = jobs.start([file.sha256 for file in files], ["space"])
    assert (jobs.progress(first).position, jobs.progress(second).position) == (1, 2)
    running(media, first)
    assert (jobs.progress(first).position, jobs.progress(second).position) == (None, 1)
    assert (jobs.progress(first).state, jobs.progress(first).step) == (RunState.RUNNING, None)


def test_a_queued_run_is_cancelled_at_once_and_can_be_tried_again(media: Path, queue: FileQueue) -> None:
    (run_id,) = jobs.start([make.upload(media).sha256], ["space"])
    assert jobs.cancel(run_id).state is RunState.CANCELLED
    assert jobs.active() == []
    assert jobs.retry(run_id).state is RunState.QUEUED
    assert jobs.progress(run_id).position == 1
    assert [job.args for job in queue.pending()] == [[run_id], [run_id]]  # the worker passes over the second


def test_only_what_failed_or_was_cancelled_is_tried_again(media: Path) -> None:
    done, queued = make.finished_run(media, "a.mp4"), make.queued_run(media, "b.mp4")
    for run in (done, queued):
        with pytest.raises(jobs.NotRetryable):
            jobs.retry(run.id)
    assert store.load_run(media, done.id) == done


def test_all_failed_runs_are_tried_again(media: Path, queue: FileQueue) -> None:
    first, second, cancelled = (make.queued_run(media, f"{n}.mp4") for n in range(3))
    make.finished_run(media, "done.mp4")
    failed(media, first.id)
    failed(media, second.id)
    jobs.cancel(cancelled.id)
    assert jobs.retry_failed() == [first.id, second.id]
    assert [run.id for run in jobs.active()] == [first.id, second.id]
    assert query.history(media).page(query.Filter(state=RunState.FAILED)).total == 0
    assert [job.args[0] for job in queue.pending()] == [first.id, second.id]


def test_a_failed_run_that_was_deleted_is_not_tried_again(media: Path) -> None:
    run = make.queued_run(media)
    failed(media, run.id)
    jobs.delete(run.id)
    assert jobs.retry_failed() == []


def test_a_damaged_record_keeps_no_other_run_from_being_tried_again(media: Path, queue: FileQueue) -> None:
    upload = make.upload(media)
    damaged, whole = (store.create_run(media, upload, ["space"], batch="b20261125-120000000-abcdef") for _ in range(2))
    for run in (damaged, whole):
        failed(media, run.id)
    (store.run_dir(media, damaged.id) / lifecycle.RECORD).write_bytes(b"{")
    assert jobs.retry_failed() == [whole.id]
    failed(media, whole.id)
    assert batches.retry_all("b20261125-120000000-abcdef") == [whole.id]


def test_a_run_whose_video_was_deleted_is_not_tried_again(media: Path) -> None:
    run = make.queued_run(media)
    failed(media, run.id)
    upload_trash.delete_upload(media, run.sha256)
    with pytest.raises(jobs.NotRetryable, match="upload it again"):
        jobs.retry(run.id)
    assert jobs.retry_failed() == []
    assert store.load_run(media, run.id).state is RunState.FAILED


def test_the_state_of_the_queue(media: Path, queue: FileQueue) -> None:
    first, _ = make.queued_run(media, "a.mp4"), make.queued_run(media, "b.mp4")
    running(media, first.id)
    assert jobs.queue_state() == jobs.QueueState(worker_alive=False, queued=1, running=(first.id,))
    queue.prepare()
    with locked(queue.lock):
        assert jobs.queue_state().worker_alive
