from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from detection import jobs
from detection.jobs import batches
from detection.records import lifecycle, query, store, trash
from detection.records.rebuild import rebuild_log
from detection.records.schema import RunState
from tests.records import make


def started(media: Path, count: int) -> tuple[str, list[str]]:
    """The id of a batch and of its runs, in the order in which they were started."""
    files = [make.upload(media, str(number).encode(), f"{number}.mp4").sha256 for number in range(count)]
    ids = jobs.start(files, ["space"])
    batch = jobs.batch_of(ids[0])
    assert batch is not None
    return batch, ids


def test_what_is_started_together_is_a_batch_and_one_alone_is_none(media: Path) -> None:
    batch, ids = started(media, 3)
    assert [run.id for run in batches.find(batch).active] == ids
    assert batches.find(batch).names == ["0.mp4", "1.mp4", "2.mp4"]
    assert abs(int(batch[1:9]) - int(ids[0][:8])) <= 1
    assert batches.find(batch).started_at <= store.load_run(media, ids[0]).created_at
    (alone,) = jobs.start([make.upload(media).sha256], ["space"])
    assert jobs.batch_of(alone) is None
    assert [each.id for each in batches.page()[0]] == [batch]


def test_a_batch_counts_what_became_of_its_runs(media: Path) -> None:
    batch, (first, second, third) = started(media, 3)
    store.finish_run(media, first, RunState.DONE, analysis=make.analysis(0.9))
    store.finish_run(media, second, RunState.FAILED, error="no luck")
    found = batches.find(batch)
    assert (found.total, found.is_finished, dict(found.verdicts)) == (3, False, {"fake": 1})
    assert dict(found.states) == {RunState.DONE: 1, RunState.FAILED: 1, RunState.QUEUED: 1}
    jobs.cancel(third)
    assert batches.find(batch).is_finished


def test_all_failed_runs_of_a_batch_are_tried_again_and_no_others(media: Path) -> None:
    elsewhere = make.queued_run(media, "elsewhere.mp4")
    batch, (first, second, third, fourth) = started(media, 4)
    for run_id in (elsewhere.id, third, first):
        store.finish_run(media, run_id, RunState.FAILED, error="no luck")
    store.finish_run(media, second, RunState.DONE, analysis=make.analysis())
    jobs.cancel(fourth)
    assert batches.retry_all(batch) == [first, third]
    assert [run.id for run in batches.find(batch).active] == [first, third]
    assert batches.retry_all(batch, [RunState.CANCELLED]) == [fourth]
    assert store.load_run(media, elsewhere.id).state is RunState.FAILED
    assert batches.find(batch).total == 4


def test_cancelling_a_batch_ends_the_last_of_the_queue_first(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    batch, ids = started(media, 3)
    store.update_run(media, ids[0], lambda run: replace(run, state=RunState.RUNNING))
    cancelled: list[str] = []
    monkeypatch.setattr(batches, "cancel", lambda run_id: cancelled.append(run_id) or jobs.cancel(run_id))
    assert batches.cancel_all(batch) == 3
    assert cancelled == ids[::-1]
    assert store.life_of(media, ids[0]).cancel_requested()
    assert [run.id for run in batches.find(batch).active] == [ids[0]]


def test_a_deleted_run_leaves_its_batch_and_comes_back_to_it(media: Path) -> None:
    batch, (first, second) = started(media, 2)
    for run_id in (first, second):
        store.finish_run(media, run_id, RunState.DONE, analysis=make.analysis())
    jobs.delete(first)
    assert [row.id for row in batches.find(batch).finished] == [second]
    jobs.delete(second)
    with pytest.raises(batches.BatchNotFound):
        batches.find(batch)
    assert batches.page() == ([], 0)
    trash.restore_run(media, first)
    rebuild_log(media)
    assert [row.id for row in batches.find(batch).finished] == [first]


def test_a_record_and_a_log_from_before_there_were_batches_are_read(media: Path) -> None:
    record = make.finished_run(media)
    path = store.run_dir(media, record.id) / lifecycle.RECORD
    plain = json.loads(path.read_bytes())
    del plain["batch"]
    path.write_text(json.dumps(plain))
    assert store.load_run(media, record.id) == record
    (log_file,) = (media / "log").glob("space.jsonl")
    line = json.loads(log_file.read_bytes())
    del line["batch"]
    log_file.write_text(json.dumps(line) + "\n")
    assert query.History(media).row(record.id) is not None


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """How often a folder was read since it was asked last."""
    count = 0

    def counted(read: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal count
            count += 1
            return read(*args, **kwargs)

        return call

    def since_last() -> int:
        nonlocal count
        before, count = count, 0
        return before

    monkeypatch.setattr(os, "listdir", counted(os.listdir))
    monkeypatch.setattr(os, "scandir", counted(os.scandir))
    return since_last


def test_the_progress_of_many_reads_the_queue_once(media: Path, reads: Callable[[], int]) -> None:
    _, few = started(media, 3)
    jobs.progress_of(few)
    reads()
    assert [each.position for each in jobs.progress_of(few)] == [1, 2, 3]
    for_few = reads()
    _, many = started(media, 40)
    jobs.progress_of(many)
    reads()
    assert [each.position for each in jobs.progress_of(many)] == list(range(4, 44))
    assert reads() == for_few
    assert for_few > 0
