from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from detection import jobs
from detection.jobs import retention
from detection.jobs.retention import Removed
from detection.records import codec, log, query, store, trash, upload_trash, uploads
from detection.records.rebuild import rebuild_log
from detection.web import housekeeping
from tests.records import make


@pytest.fixture
def days_ago() -> Callable[[float], str]:
    return lambda days: (datetime.now(UTC) - timedelta(days=days)).isoformat(timespec="milliseconds")


def finished(media: Path, name: str, at: str) -> str:
    """A run that finished at a time, over a file as old."""
    run = make.finished_run(media, name)
    store.save_run(media, replace(run, finished_at=at))
    rebuild_log(media)
    then_s = datetime.fromisoformat(at).timestamp()
    for path in (media / "uploads").glob(f"{run.sha256}.*"):
        os.utime(path, (then_s, then_s))
    return run.id


def in_history(media: Path) -> set[str]:
    return {row.id for row in query.History(media).page().rows}


def test_old_runs_and_the_files_that_nothing_is_about_are_removed(
    media: Path, days_ago: Callable[[float], str]
) -> None:
    old, new = finished(media, "old.mp4", days_ago(31)), finished(media, "new.mp4", days_ago(29))
    unused_new = make.upload(media, b"unused", "unused.mp4")
    assert retention.remove_expired(media, 30).runs == 1
    assert in_history(media) == {new}
    assert not store.run_dir(media, old).exists()
    assert trash.deleted_runs(media) == []
    kept = {upload.sha256 for upload in uploads.list_uploads(media)}
    assert kept == {store.load_run(media, new).sha256, unused_new.sha256}
    assert upload_trash.deleted_hashes(media) == []


def test_an_old_file_stays_while_a_run_is_about_it(media: Path, days_ago: Callable[[float], str]) -> None:
    old = store.load_run(media, finished(media, "old.mp4", days_ago(31)))
    (queued,) = jobs.start([old.sha256], ["space"])
    for path in (media / "uploads").glob("*.*"):
        os.utime(path, (1, 1))
    assert retention.remove_expired(media, 30) == Removed(runs=1)
    jobs.cancel(queued)
    assert retention.remove_expired(media, 30) == Removed()
    jobs.delete(queued)
    assert retention.remove_expired(media, 30) == Removed()  # it may be brought back
    assert retention.empty_trash(media) == Removed(runs=1)
    assert retention.remove_expired(media, 30) == Removed(uploads=(old.sha256,))


def test_the_trash_is_kept_for_its_time(media: Path, days_ago: Callable[[float], str]) -> None:
    run = make.finished_run(media)
    file = make.upload(media, b"another", "another.mp4")
    jobs.delete(run.id)
    upload_trash.delete_upload(media, file.sha256)
    assert retention.empty_trash(media, deleted_days=30) == Removed()
    place = media / "runs" / trash.FOLDER / run.id / store.DELETED
    place.write_bytes(codec.to_json(replace(trash.deleted_run(media, run.id), deleted_at=days_ago(30.1))))
    age(media / "uploads" / upload_trash.FOLDER / file.sha256, 29.5)
    assert retention.empty_trash(media, deleted_days=30) == Removed(runs=1)
    assert retention.empty_trash(media, deleted_days=29) == Removed(uploads=(file.sha256,))


def age(path: Path, days: float) -> None:
    then_s = time.time() - days * retention.DAY_S
    os.utime(path, (then_s, then_s))


def test_what_a_crash_left_in_the_trash_goes_in_time(media: Path) -> None:
    file = make.upload(media)
    upload_trash.delete_upload(media, file.sha256)
    folder = media / "uploads" / upload_trash.FOLDER / file.sha256
    for path in folder.iterdir():
        path.unlink()
    assert retention.empty_trash(media, deleted_days=1) == Removed()
    age(folder, 2)
    assert retention.empty_trash(media, deleted_days=1) == Removed(uploads=(file.sha256,))


def test_nothing_is_removed_unless_the_setting_says_so(
    media: Path, settings: Settings, days_ago: Callable[[float], str]
) -> None:
    old = finished(media, "old.mp4", days_ago(3000))
    deleted = finished(media, "deleted.mp4", days_ago(3000))
    jobs.delete(deleted)
    housekeeping.tidy()
    assert in_history(media) == {old}
    assert trash.deleted_ids(media) == [deleted]
    settings.DEEPFAKE_KEEP_DAYS = 100
    housekeeping.tidy()
    assert in_history(media) == set()
    assert trash.deleted_ids(media) == []
    assert uploads.list_uploads(media) == []
    assert all(b'"removed":true' in path.read_bytes() for path in map(log.log_path, [media], ["space"]))
