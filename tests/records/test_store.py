from __future__ import annotations

import json
import math
import threading
from dataclasses import replace
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any

import pytest

from detection.records import codec, lifecycle, log, query, store, times
from detection.records.schema import SCHEMA_VERSION, RunState
from tests.records import make


def test_a_record_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    record = make.queued_run(tmp_path, "视频 clip.mp4", ("space", "feature"))
    whole = replace(record, video=make.video_properties(make.upload(tmp_path)), analysis=make.analysis(), attempts=2)
    store.save_run(tmp_path, whole)
    assert store.load_run(tmp_path, record.id) == whole


def test_ids_sort_by_time_and_are_checked(tmp_path: Path) -> None:
    ids = [make.queued_run(tmp_path, f"{n}.mp4").id for n in range(5)]
    assert ids == sorted(ids) == list(store.run_ids(tmp_path))
    for bad in ("../../etc", "", ids[0] + "/..", "20260101-000000000-xyzxyz"):
        with pytest.raises(store.RunNotFound):
            store.load_run(tmp_path, bad)


def test_a_newer_schema_is_refused_with_the_way_out(tmp_path: Path) -> None:
    record = make.queued_run(tmp_path)
    path = store.run_dir(tmp_path, record.id) / lifecycle.RECORD
    plain = json.loads(path.read_bytes())
    path.write_text(json.dumps({**plain, "schema_version": SCHEMA_VERSION + 1}))
    with pytest.raises(codec.RecordVersionError, match="Update the program") as caught:
        store.load_run(tmp_path, record.id)
    assert str(path) in str(caught.value)


def test_an_older_schema_is_migrated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = make.queued_run(tmp_path)
    path = store.run_dir(tmp_path, record.id) / lifecycle.RECORD
    plain = json.loads(path.read_bytes())
    plain["title"] = plain.pop("video_name")
    path.write_text(json.dumps({**plain, "schema_version": SCHEMA_VERSION - 1}))
    with pytest.raises(codec.RecordVersionError, match="no migration"):
        store.load_run(tmp_path, record.id)

    def renamed(old: dict[str, Any]) -> dict[str, Any]:
        return {**old, "video_name": old["title"]}

    monkeypatch.setitem(codec.MIGRATIONS, SCHEMA_VERSION - 1, renamed)
    assert store.load_run(tmp_path, record.id) == record


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"schema_version": 1}', b"\xff\xfe"])
def test_a_damaged_record_is_named_with_the_way_out(tmp_path: Path, damage: bytes) -> None:
    record = make.queued_run(tmp_path)
    path = store.run_dir(tmp_path, record.id) / lifecycle.RECORD
    path.write_bytes(damage)
    with pytest.raises(codec.RecordError, match=r"record\.json cannot be read: it .+, or delete the run\."):
        store.load_run(tmp_path, record.id)


def test_a_score_that_is_no_number_is_not_recorded(tmp_path: Path) -> None:
    record = make.queued_run(tmp_path)
    with pytest.raises(ValueError, match="not JSON compliant"):
        store.finish_run(tmp_path, record.id, RunState.DONE, analysis=make.analysis(math.nan))
    assert store.load_run(tmp_path, record.id) == record


def test_finishing_enters_the_log_once_and_ends_the_mark(tmp_path: Path) -> None:
    record = make.queued_run(tmp_path, modules=("space", "feature"))
    assert store.active_ids(tmp_path) == [record.id]
    for _ in range(2):
        store.finish_run(tmp_path, record.id, RunState.FAILED, error="The disk is gone.")
    assert store.active_ids(tmp_path) == []
    for module in ("space", "feature"):
        assert len(log.log_path(tmp_path, module).read_text().splitlines()) == 1


def test_the_first_end_of_a_run_stays(tmp_path: Path) -> None:
    record = make.finished_run(tmp_path)
    assert store.finish_run(tmp_path, record.id, RunState.FAILED, error="too late") == record


def test_a_crash_after_the_record_and_before_the_log_is_made_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = make.queued_run(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(log, "append", lambda *_: (_ for _ in ()).throw(OSError("No space left on device")))
        with pytest.raises(OSError, match="No space"):
            store.finish_run(tmp_path, record.id, RunState.DONE, analysis=make.analysis())
    assert store.load_run(tmp_path, record.id).state is RunState.DONE
    assert store.active_ids(tmp_path) == [record.id]
    store.finish_run(tmp_path, record.id, RunState.DONE)
    assert query.History(tmp_path).row(record.id) is not None
    assert store.active_ids(tmp_path) == []


def test_changes_by_several_threads_are_all_kept(tmp_path: Path) -> None:
    record = make.queued_run(tmp_path)

    def count() -> None:
        for _ in range(20):
            store.update_run(tmp_path, record.id, lambda r: replace(r, attempts=r.attempts + 1))

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.load_run(tmp_path, record.id).attempts == 80


def test_cancelling_a_queued_run_ends_it_and_a_running_one_is_asked(tmp_path: Path) -> None:
    queued, running = make.queued_run(tmp_path, "a.mp4"), make.queued_run(tmp_path, "b.mp4")
    store.update_run(tmp_path, running.id, lambda r: replace(r, state=RunState.RUNNING))
    assert store.life_of(tmp_path, queued.id).cancel().state is RunState.CANCELLED
    assert not store.life_of(tmp_path, queued.id).cancel_requested()
    assert store.life_of(tmp_path, running.id).cancel().state is RunState.RUNNING
    assert store.life_of(tmp_path, running.id).cancel_requested()
    done = make.finished_run(tmp_path, "c.mp4")
    assert store.life_of(tmp_path, done.id).cancel() == done
    assert not store.life_of(tmp_path, done.id).cancel_requested()


def test_a_retried_run_leaves_the_history_until_it_ends_again(tmp_path: Path) -> None:
    history = query.History(tmp_path)
    record = make.queued_run(tmp_path, modules=("space", "feature"))
    store.finish_run(tmp_path, record.id, RunState.FAILED, error="no luck")
    assert history.page().total == 1
    again = store.requeue_run(tmp_path, record.id)
    assert (again.state, again.error, again.attempts) == (RunState.QUEUED, None, 0)
    assert history.page().total == 0
    assert store.active_ids(tmp_path) == [record.id]
    store.finish_run(tmp_path, record.id, RunState.DONE, analysis=make.analysis(0.1, ("space", "feature")))
    (row,) = history.page().rows
    assert (row.state, row.verdict, set(row.modules)) == (RunState.DONE, "real", {"space", "feature"})


def test_an_interrupted_run_keeps_its_place_and_a_done_one_its_result(tmp_path: Path) -> None:
    record = make.queued_run(tmp_path)
    store.update_run(tmp_path, record.id, lambda r: replace(r, state=RunState.RUNNING, attempts=1))
    assert store.life_of(tmp_path, record.id).put_back().queued_at == record.queued_at
    done = make.finished_run(tmp_path, "b.mp4")
    assert store.requeue_run(tmp_path, done.id) == done


def test_clearing_evidence_keeps_the_record(tmp_path: Path) -> None:
    record = make.queued_run(tmp_path)
    folder = store.run_dir(tmp_path, record.id)
    (folder / "mri").mkdir()
    (folder / "mri" / "1.png").write_bytes(b"png")
    (folder / "preview.mp4").write_bytes(b"mp4")
    (folder / "link").symlink_to(tmp_path / "uploads")
    store.clear_evidence(tmp_path, record.id)
    assert {entry.name for entry in folder.iterdir()} <= store.OWN_FILES
    assert store.load_run(tmp_path, record.id) == record
    assert any((tmp_path / "uploads").iterdir())


def test_a_held_run_is_held_by_one(tmp_path: Path) -> None:
    record = make.queued_run(tmp_path)
    assert not store.life_of(tmp_path, record.id).is_held()
    with store.life_of(tmp_path, record.id).holding():
        assert store.life_of(tmp_path, record.id).is_held()
        with pytest.raises(BlockingIOError), store.life_of(tmp_path, record.id).holding():
            pass
    assert not store.life_of(tmp_path, record.id).is_held()


def test_runs_made_within_a_millisecond_wait_in_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class StoppedClock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return cls(2100, 1, 1, tzinfo=tz)

    monkeypatch.setattr(times, "datetime", StoppedClock)
    made = [make.queued_run(tmp_path).id for _ in range(20)]
    assert [run.id for run in query.active_runs(tmp_path)] == made
