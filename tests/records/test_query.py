from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from detection.records import lifecycle, log, query, store, trash
from detection.records.query import Filter
from detection.records.rebuild import rebuild_log
from detection.records.schema import Reason, RunState
from tests.records import make


def names(page: query.Page) -> list[str]:
    return [row.video_name for row in page.rows]


def test_the_history_is_newest_first_by_page(tmp_path: Path) -> None:
    for number in range(7):
        make.finished_run(tmp_path, f"{number}.mp4")
    page = query.History(tmp_path).page(offset=2, limit=3)
    assert (names(page), page.total) == (["4.mp4", "3.mp4", "2.mp4"], 7)
    assert names(query.History(tmp_path).page(offset=6, limit=3)) == ["0.mp4"]


def test_only_what_was_added_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(50):
        make.finished_run(tmp_path, f"{number}.mp4")
    history = query.History(tmp_path)
    assert history.page().total == 50
    parsed: list[bytes] = []
    read_line = log.read_line
    monkeypatch.setattr(log, "read_line", lambda line: parsed.append(line) or read_line(line))
    history.page()
    assert parsed == []
    make.finished_run(tmp_path, "new.mp4")
    assert names(history.page(limit=1)) == ["new.mp4"]
    assert len(parsed) == 1


def test_filters(tmp_path: Path) -> None:
    fake = make.finished_run(tmp_path, "Fälschung.mp4", 0.95, ("space", "feature"))
    real = make.finished_run(tmp_path, "holiday.mov", 0.1)
    unsure = make.finished_run(tmp_path, "unsure.mp4", 0.5)
    none = make.finished_run(tmp_path, "landscape.mp4", None, reason=Reason.NO_FACE)
    failed = make.queued_run(tmp_path, "failed.mp4")
    store.finish_run(tmp_path, failed.id, RunState.FAILED, error="no luck")
    history = query.History(tmp_path)

    def ids(where: Filter) -> list[str]:
        return [row.id for row in history.page(where).rows]

    assert ids(Filter(verdict="fake")) == [fake.id]
    assert ids(Filter(verdict="real")) == [real.id]
    assert ids(Filter(verdict="uncertain")) == [unsure.id]
    assert ids(Filter(verdict="no_result", state=RunState.DONE)) == [none.id]
    assert ids(Filter(state=RunState.FAILED)) == [failed.id]
    assert ids(Filter(module="feature")) == [fake.id]
    assert ids(Filter(module="feature", verdict="real")) == []
    assert ids(Filter(module="blend")) == []
    assert ids(Filter(text="fÄLSCH")) == [fake.id]
    assert ids(Filter(text=real.sha256[:12].upper())) == [real.id]
    assert ids(Filter(text=none.id)) == [none.id]
    assert ids(Filter(text="nowhere")) == []
    boundary = datetime.fromisoformat(unsure.created_at)
    assert ids(Filter(since=boundary)) == [failed.id, none.id, unsure.id]
    assert ids(Filter(until=boundary)) == [real.id, fake.id]
    other_zone = boundary.astimezone(tz=None) + timedelta(days=1)
    assert ids(Filter(since=other_zone)) == []


def test_statistics_count_what_was_found(tmp_path: Path) -> None:
    make.finished_run(tmp_path, "a.mp4", 1.0, ("space", "feature"))
    make.finished_run(tmp_path, "b.mp4", 0.1)
    make.finished_run(tmp_path, "c.mp4", None, reason=Reason.NO_FACE)
    failed = make.queued_run(tmp_path, "d.mp4")
    store.finish_run(tmp_path, failed.id, RunState.FAILED, error="no luck")
    history = query.History(tmp_path)
    figures = history.statistics()
    assert figures.states == {RunState.DONE: 3, RunState.FAILED: 1}
    assert figures.total.verdicts == {"fake": 1, "real": 1, "no_result": 1}
    assert figures.total.reasons == {Reason.NO_FACE: 1}
    assert (figures.total.scores[-1], figures.total.scores[2], sum(figures.total.scores)) == (1, 1, 2)
    assert figures.modules["feature"].runs == 1
    assert figures.modules["space"].runs == 3
    assert figures.days == {datetime.now(UTC).date().isoformat(): {"fake": 1, "real": 1, "no_result": 1}}
    assert (figures.video_seconds, figures.analysis_seconds) == (30.0, 7.5)
    assert figures.modules["feature"].days == {datetime.now(UTC).date().isoformat(): {"fake": 1}}
    assert figures.errors == {"no luck": 1}
    make.finished_run(tmp_path, "e.mp4", 0.7)
    assert history.statistics().total.verdicts["fake"] == 2
    trash.delete_run(tmp_path, history.page(Filter(text="b.mp4")).rows[0].id)
    after = history.statistics()
    assert after == query.History(tmp_path).statistics()
    assert after.total.verdicts == {"fake": 2, "no_result": 1}


def test_statistics_of_some_days_count_those_alone(tmp_path: Path) -> None:
    day = date(2026, 3, 1)
    for number in range(4):
        record = make.queued_run(tmp_path, f"{number}.mp4")
        created = datetime(2026, 3, 1 + number, 23, 59, tzinfo=UTC).isoformat(timespec="milliseconds")
        store.update_run(tmp_path, record.id, lambda run, created=created: replace(run, created_at=created))
        error = f"It took {number} s, too long." if number < 3 else None
        store.finish_run(tmp_path, record.id, RunState.FAILED if error else RunState.CANCELLED, error=error)
    history = query.History(tmp_path)
    assert history.statistics().errors == {"It took … s, too long.": 3}
    assert history.statistics(since=day + timedelta(1), until=day + timedelta(2)).states == {RunState.FAILED: 2}
    assert history.statistics(since=day + timedelta(3)).states == {RunState.CANCELLED: 1}
    assert history.statistics(until=day - timedelta(1)).states == {}


def test_a_rebuilt_log_is_noticed_even_with_the_same_inode_and_size(tmp_path: Path) -> None:
    history = query.History(tmp_path)
    old = make.finished_run(tmp_path, "aa.mp4")
    assert names(history.page()) == ["aa.mp4"]
    path = log.log_path(tmp_path, "space")
    content = path.read_bytes().replace(b"aa.mp4", b"bb.mp4")
    with path.open("r+b") as file:  # in place: what a freed and reused inode looks like
        file.write(content)
    os.utime(path, ns=(1, 1))
    assert names(history.page()) == ["bb.mp4"]
    rebuild_log(tmp_path)
    assert names(history.page()) == ["aa.mp4"]
    trash.delete_run(tmp_path, old.id)
    rebuild_log(tmp_path)
    assert (history.page().total, history.problems()) == (0, ())


def test_a_log_file_that_is_gone_takes_its_rows_along(tmp_path: Path) -> None:
    history = query.History(tmp_path)
    make.finished_run(tmp_path, modules=("space", "feature"))
    assert history.page().total == 1
    log.log_path(tmp_path, "space").unlink()
    assert set(history.page().rows[0].modules) == {"feature"}
    log.log_path(tmp_path, "feature").unlink()
    assert history.page().total == 0


def test_threads_may_read_while_runs_end(tmp_path: Path) -> None:
    history = query.History(tmp_path)
    failures: list[BaseException] = []
    done = threading.Event()

    def read() -> None:
        try:
            seen = 0
            while not done.is_set():
                rows = history.page(limit=1000).rows
                assert [row.id for row in rows] == sorted((row.id for row in rows), reverse=True)
                assert len(rows) >= seen
                seen = len(rows)
                assert history.problems() == ()
        except BaseException as error:
            failures.append(error)

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    for number in range(60):
        make.finished_run(tmp_path, f"{number}.mp4")
    done.set()
    for reader in readers:
        reader.join()
    assert failures == []
    assert history.page().total == 60


def test_active_runs_are_the_running_then_the_queued_in_order(tmp_path: Path) -> None:
    first, second, third = (make.queued_run(tmp_path, f"{n}.mp4") for n in range(3))
    make.finished_run(tmp_path, "done.mp4")
    store.update_run(tmp_path, third.id, lambda r: replace(r, state=RunState.RUNNING))
    assert [run.id for run in query.active_runs(tmp_path)] == [third.id, first.id, second.id]
    assert query.positions(query.active_runs(tmp_path))[second.id] == 2
    assert third.id not in query.positions(query.active_runs(tmp_path))
    store.life_of(tmp_path, first.id).cancel()
    assert query.positions(query.active_runs(tmp_path))[second.id] == 1
    store.requeue_run(tmp_path, first.id)
    assert [run.id for run in query.active_runs(tmp_path)] == [third.id, second.id, first.id]


def test_a_damaged_active_record_does_not_hide_the_others(tmp_path: Path) -> None:
    damaged, whole = make.queued_run(tmp_path, "a.mp4"), make.queued_run(tmp_path, "b.mp4")
    (store.run_dir(tmp_path, damaged.id) / lifecycle.RECORD).write_text("{")
    assert [run.id for run in query.active_runs(tmp_path)] == [whole.id]


def test_an_empty_media_folder_has_an_empty_history(tmp_path: Path) -> None:
    history = query.History(tmp_path / "none")
    assert (history.page().total, history.statistics().total.runs, history.problems()) == (0, 0, ())
    assert query.active_runs(tmp_path / "none") == []


def test_those_who_ask_for_active_runs_meanwhile_share_a_look_that_is_new_to_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make.queued_run(tmp_path, "first.mp4")
    asked, goes_on, looks = threading.Semaphore(0), threading.Event(), []
    active_ids, monotonic = store.active_ids, time.monotonic

    def slow_look(root: Path) -> list[str]:
        found = active_ids(root)
        looks.append(len(found))
        goes_on.wait(60)
        return found

    def counted() -> float:
        asked.release()
        return monotonic()

    monkeypatch.setattr(store, "active_ids", slow_look)
    monkeypatch.setattr(query.time, "monotonic", counted)
    with ThreadPoolExecutor(9) as pool:
        one = pool.submit(query.active_runs, tmp_path)
        for _ in range(2):  # it asked, and looks
            asked.acquire()
        others = [pool.submit(query.active_runs, tmp_path) for _ in range(8)]
        for _ in range(8):
            asked.acquire()
        make.queued_run(tmp_path, "second.mp4")
        goes_on.set()
        assert len(one.result()) == 1
        assert [len(other.result()) for other in others] == [2] * 8
    assert looks == [1, 2]
