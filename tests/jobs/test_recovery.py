from __future__ import annotations

import os
import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest

from detection import jobs
from detection.jobs import recovery
from detection.jobs.queue import FileQueue
from detection.records import lifecycle, log, query, store, times, trash
from detection.records.schema import RunState
from tests.records import make


def started(media: Path) -> str:
    (run_id,) = jobs.start([make.upload(media).sha256], ["space"])
    return run_id


def claim_and_die(media: Path, queue: FileQueue, run_id: str) -> None:
    """What a worker leaves that is killed in the middle of a run."""
    assert queue.claim("worker", times.now()) is not None
    store.update_run(media, run_id, lambda r: replace(r, state=RunState.RUNNING, attempts=r.attempts + 1))


def age(media: Path, run_id: str, seconds: float = 3600) -> None:
    then = time.time() - seconds
    os.utime(media / "runs" / ".active" / run_id, (then, then))


def test_the_first_death_queues_the_run_again_and_the_second_ends_it(media: Path, queue: FileQueue) -> None:
    run_id = started(media)
    claim_and_die(media, queue, run_id)
    recovery.settle_orphans(media, queue, "by SIGKILL")
    assert [job.args for job in queue.pending()] == [[run_id]]
    assert queue.claimed() == []
    claim_and_die(media, queue, run_id)
    recovery.settle_orphans(media, queue, "by SIGSEGV")
    assert list(queue.pending()) == []
    run = store.load_run(media, run_id)
    assert (run.state, run.attempts) == (RunState.FAILED, 2)
    assert run.error == "The worker process died 2 times during the analysis, the last time by SIGSEGV."
    row = query.history(media).row(run_id)
    assert row is not None
    assert row.error == run.error


def test_a_run_that_ended_just_before_the_death_stays_ended(media: Path, queue: FileQueue) -> None:
    run_id = started(media)
    claim_and_die(media, queue, run_id)
    claim = queue.claimed()[0]
    queue.release(claim, counted=True)
    claim_and_die(media, queue, run_id)
    store.finish_run(media, run_id, RunState.DONE, analysis=make.analysis())
    recovery.settle_orphans(media, queue, None)
    assert store.load_run(media, run_id).state is RunState.DONE


def test_a_job_whose_end_was_written_is_not_done_again(media: Path, queue: FileQueue) -> None:
    run_id = started(media)
    claim_and_die(media, queue, run_id)
    (job,) = queue.claimed()
    path = queue.folder / "claimed" / job.file
    path.write_text(path.read_text().replace('"RUNNING"', '"SUCCESSFUL"'))
    recovery.settle_orphans(media, queue, None)
    assert list(queue.pending()) == []
    found = queue.find(job.id)
    assert found is not None
    assert found.status == "SUCCESSFUL"


def test_a_run_that_was_recorded_but_not_queued_is_queued(media: Path, queue: FileQueue) -> None:
    run = make.queued_run(media)
    recovery.settle_runs(media, queue)
    assert list(queue.pending()) == []  # its maker may be about to queue it
    age(media, run.id)
    recovery.settle_runs(media, queue)
    recovery.settle_runs(media, queue)
    assert [job.args for job in queue.pending()] == [[run.id]]


def test_a_run_whose_process_is_gone_fails_and_one_that_is_held_goes_on(media: Path, queue: FileQueue) -> None:
    lost, held = make.queued_run(media, "a.mp4"), make.queued_run(media, "b.mp4")
    for run in (lost, held):
        store.update_run(media, run.id, lambda r: replace(r, state=RunState.RUNNING))
        age(media, run.id)
    with store.life_of(media, held.id).holding():
        recovery.settle_runs(media, queue)
    assert store.load_run(media, lost.id).state is RunState.FAILED
    assert store.load_run(media, held.id).state is RunState.RUNNING


def test_a_result_that_did_not_reach_the_log_is_entered(media: Path, queue: FileQueue) -> None:
    run = make.finished_run(media)
    log.log_path(media, "space").unlink()
    (media / "runs" / ".active" / run.id).touch()
    age(media, run.id)
    recovery.settle_runs(media, queue)
    assert [row.id for row in query.history(media).page().rows] == [run.id]
    assert store.active_ids(media) == []


def test_a_mark_without_a_run_is_removed(media: Path, queue: FileQueue) -> None:
    run = make.queued_run(media)
    (store.run_dir(media, run.id) / lifecycle.RECORD).unlink()
    age(media, run.id)
    recovery.settle_runs(media, queue)
    assert store.active_ids(media) == []
    assert not store.run_dir(media, run.id).exists()


def test_a_damaged_record_is_reported_and_kept(media: Path, queue: FileQueue, caplog: pytest.LogCaptureFixture) -> None:
    run = make.queued_run(media)
    path = store.run_dir(media, run.id) / lifecycle.RECORD
    path.write_text("{")
    age(media, run.id)
    recovery.settle_runs(media, queue)
    assert str(path) in caplog.text
    assert path.read_text() == "{"


def test_a_deletion_that_broke_off_is_completed(media: Path, queue: FileQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make.finished_run(media)
    with monkeypatch.context() as patch:
        patch.setattr(log, "remove", lambda *_: (_ for _ in ()).throw(OSError("No space left on device")))
        with pytest.raises(OSError, match="No space"):
            jobs.delete(run.id)
    monkeypatch.setattr(recovery, "GRACE_S", -1.0)
    recovery.settle_runs(media, queue)
    assert query.history(media).page().total == 0
    assert (trash.deleted_ids(media), store.active_ids(media)) == ([run.id], [])


def test_a_removal_for_good_that_broke_off_is_completed(
    media: Path, queue: FileQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make.finished_run(media)
    jobs.delete(run.id)
    with monkeypatch.context() as patch:
        patch.setattr(trash.shutil, "rmtree", lambda *_: (_ for _ in ()).throw(OSError("Input/output error")))
        with pytest.raises(OSError, match="Input"):
            trash.purge_run(media, run.id)
    assert trash.deleted_ids(media) == []
    monkeypatch.setattr(recovery, "GRACE_S", -1.0)
    recovery.settle_runs(media, queue)
    assert list((media / "runs" / trash.GOING).iterdir()) == []


def test_deleted_runs_do_not_trouble_the_queue(media: Path, queue: FileQueue) -> None:
    run_id = started(media)
    claim_and_die(media, queue, run_id)
    (claim,) = queue.claimed()
    queue.release(claim, counted=True)
    claim_and_die(media, queue, run_id)
    shutil.rmtree(store.run_dir(media, run_id))
    recovery.settle_orphans(media, queue, "by SIGKILL")
    assert list(queue.pending()) == []
