from __future__ import annotations

import errno
from pathlib import Path

import pytest

from detection.records import codec, lifecycle, log, query, store, trash, upload_trash, uploads
from detection.records.schema import RunState
from detection.records.trash import NotInTrash
from tests.records import make


def test_deleting_takes_the_run_its_evidence_and_its_row_and_restoring_brings_them_back(tmp_path: Path) -> None:
    history = query.History(tmp_path)
    record = make.finished_run(tmp_path, modules=("space", "feature"))
    row = history.row(record.id)
    folder = store.run_dir(tmp_path, record.id)
    (folder / "mri").mkdir()
    (folder / "mri" / "1.png").write_bytes(b"png")
    trash.delete_run(tmp_path, record.id)
    assert not folder.exists()
    assert history.page().total == query.History(tmp_path).page().total == 0
    (deleted,) = trash.deleted_runs(tmp_path)
    assert (deleted.id, deleted.video_name, deleted.verdict, deleted.score) == (record.id, "clip.mp4", "fake", 0.9)
    trash.restore_run(tmp_path, record.id)
    assert (folder / "mri" / "1.png").read_bytes() == b"png"
    assert store.load_run(tmp_path, record.id) == record
    assert history.row(record.id) == row
    assert (trash.deleted_runs(tmp_path), store.active_ids(tmp_path)) == ([], [])


def test_what_is_not_there_is_neither_deleted_nor_restored(tmp_path: Path) -> None:
    record = make.finished_run(tmp_path)
    with pytest.raises(NotInTrash):
        trash.restore_run(tmp_path, record.id)
    trash.delete_run(tmp_path, record.id)
    with pytest.raises(store.RunNotFound):
        trash.delete_run(tmp_path, record.id)
    trash.purge_run(tmp_path, record.id)
    for call in (trash.restore_run, trash.purge_run, trash.deleted_run):
        with pytest.raises(NotInTrash):
            call(tmp_path, record.id)
        with pytest.raises(NotInTrash):
            call(tmp_path, "../../etc")


def test_an_unfinished_run_is_not_deleted(tmp_path: Path) -> None:
    record = make.queued_run(tmp_path)
    with pytest.raises(store.RunIsActive, match="cancel it first"):
        trash.delete_run(tmp_path, record.id)
    assert store.load_run(tmp_path, record.id) == record


def test_a_damaged_run_can_be_deleted_and_brought_back_as_it_is(tmp_path: Path) -> None:
    record = make.finished_run(tmp_path)
    path = store.run_dir(tmp_path, record.id) / lifecycle.RECORD
    path.write_text("{")
    trash.delete_run(tmp_path, record.id)
    assert query.history(tmp_path).page().total == 0
    trash.restore_run(tmp_path, record.id)
    assert path.read_text() == "{"
    assert store.active_ids(tmp_path) == []
    with pytest.raises(codec.RecordError):
        store.load_run(tmp_path, record.id)


def test_a_crash_between_moving_and_the_log_is_found_by_the_mark(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = make.finished_run(tmp_path)

    def full(*_: object) -> None:
        raise OSError("No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(log, "remove", full)
        with pytest.raises(OSError, match="No space"):
            trash.delete_run(tmp_path, record.id)
    assert store.active_ids(tmp_path) == [record.id]
    assert trash.finish_move(tmp_path, record.id)
    assert (query.History(tmp_path).page().total, store.active_ids(tmp_path)) == (0, [])

    with monkeypatch.context() as patch:
        patch.setattr(log, "append", full)
        with pytest.raises(OSError, match="No space"):
            trash.restore_run(tmp_path, record.id)
    assert store.active_ids(tmp_path) == [record.id]
    assert not trash.finish_move(tmp_path, record.id)
    store.finish_run(tmp_path, record.id, RunState.DONE)  # what recovery does with a finished run that is marked
    assert query.History(tmp_path).row(record.id) is not None


def test_a_removed_file_is_brought_back_with_its_name(tmp_path: Path) -> None:
    upload = make.upload(tmp_path, name="my holiday.mov")
    upload_trash.delete_upload(tmp_path, upload.sha256)
    assert uploads.list_uploads(tmp_path) == []
    with pytest.raises(uploads.UploadNotFound):
        upload_trash.delete_upload(tmp_path, upload.sha256)
    assert [each.upload for each in upload_trash.deleted_uploads(tmp_path)] == [upload]
    assert upload_trash.restore_upload(tmp_path, upload.sha256) == upload
    assert uploads.list_uploads(tmp_path) == [upload]
    assert uploads.file_path(tmp_path, upload).read_bytes() == b"a video"
    with pytest.raises(NotInTrash):
        upload_trash.restore_upload(tmp_path, upload.sha256)


def test_a_file_that_was_uploaded_again_may_be_removed_again(tmp_path: Path) -> None:
    first = make.upload(tmp_path, name="a.mov")
    upload_trash.delete_upload(tmp_path, first.sha256)
    second = make.upload(tmp_path, name="b.mp4")
    upload_trash.delete_upload(tmp_path, second.sha256)
    (deleted,) = upload_trash.deleted_uploads(tmp_path)
    assert deleted.upload == second
    upload_trash.purge_upload(tmp_path, second.sha256)
    assert upload_trash.deleted_hashes(tmp_path) == []
    for call in (upload_trash.restore_upload, upload_trash.purge_upload, upload_trash.deleted_upload):
        with pytest.raises(NotInTrash):
            call(tmp_path, "../../etc")


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing more can be written to files under media/; folders and names can be changed."""

    def full(path: Path, data: bytes, **_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(trash, "write_atomic", full)
    monkeypatch.setattr(uploads, "write_atomic", full)


def test_a_full_disk_does_not_keep_anybody_from_deleting(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    record = make.finished_run(tmp_path)
    (upload,) = uploads.list_uploads(tmp_path)
    request.getfixturevalue("full_disk")
    trash.delete_run(tmp_path, record.id)
    upload_trash.delete_upload(tmp_path, upload.sha256)
    (deleted,) = trash.deleted_runs(tmp_path)
    assert (deleted.video_name, deleted.verdict) == ("clip.mp4", "fake")
    assert upload_trash.restore_upload(tmp_path, upload.sha256) == upload
    trash.purge_run(tmp_path, record.id)
    assert trash.deleted_ids(tmp_path) == []


def test_a_crash_between_the_file_and_its_description_costs_nothing(tmp_path: Path) -> None:
    upload = make.upload(tmp_path)
    description = uploads.description_path(tmp_path, upload.sha256)
    told = description.read_bytes()
    upload_trash.delete_upload(tmp_path, upload.sha256)
    (tmp_path / "uploads" / upload_trash.FOLDER / upload.sha256 / description.name).unlink()
    description.write_bytes(told)  # it was not moved any more
    assert uploads.list_uploads(tmp_path) == []
    assert upload_trash.deleted_upload(tmp_path, upload.sha256).upload == upload
    assert upload_trash.restore_upload(tmp_path, upload.sha256) == upload
