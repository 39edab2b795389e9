from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from detection.records import uploads
from tests.records import make


def test_a_file_is_kept_under_its_hash_with_its_name_beside_it(tmp_path: Path) -> None:
    upload = uploads.add_stream(tmp_path, "My Clip.MP4", [b"one", b"two"])
    sha256 = hashlib.sha256(b"onetwo").hexdigest()
    assert (upload.sha256, upload.name, upload.path) == (sha256, "My Clip.MP4", f"uploads/{sha256}.mp4")
    assert (tmp_path / upload.path).read_bytes() == b"onetwo"
    assert uploads.find_upload(tmp_path, sha256) == upload


def test_the_same_content_is_kept_once_under_its_latest_name(tmp_path: Path) -> None:
    uploads.add_stream(tmp_path, "a.mp4", [b"same"])
    again = uploads.add_stream(tmp_path, "b.avi", [b"same"])
    assert (again.name, again.path.endswith(".mp4")) == ("b.avi", True)
    assert len(uploads.list_uploads(tmp_path)) == 1


def test_a_copy_that_lost_its_end_is_replaced(tmp_path: Path) -> None:
    upload = uploads.add_stream(tmp_path, "a.mp4", [b"whole"])
    (tmp_path / upload.path).write_bytes(b"who")
    uploads.add_stream(tmp_path, "a.mp4", [b"whole"])
    assert (tmp_path / upload.path).read_bytes() == b"whole"


def test_several_threads_upload_the_same_file_under_different_endings(tmp_path: Path) -> None:
    names = ["a.mp4", "a.avi", "a.mkv", "a.webm"] * 4
    threads = [threading.Thread(target=uploads.add_stream, args=(tmp_path, name, [b"x" * 1000])) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (upload,) = uploads.list_uploads(tmp_path)
    kept = [p for p in (tmp_path / "uploads").iterdir() if not p.name.startswith(".")]
    assert {p.name for p in kept} == {Path(upload.path).name, f"{upload.sha256}.json"}


def test_what_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    def broken() -> Iterator[bytes]:
        yield b"half"
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        uploads.add_stream(tmp_path, "a.mp4", broken())
    assert uploads.list_uploads(tmp_path) == []
    assert list(uploads.incoming_dir(tmp_path).iterdir()) == []


def test_a_finished_resumable_upload_is_moved_in(tmp_path: Path) -> None:
    part = uploads.incoming_dir(tmp_path) / "tus-1"
    part.write_bytes(b"resumed")
    upload = uploads.add_incoming(tmp_path, part, "r.mp4")
    assert not part.exists()
    assert (tmp_path / upload.path).read_bytes() == b"resumed"


def test_a_file_whose_description_was_lost_is_listed(tmp_path: Path) -> None:
    upload = make.upload(tmp_path, b"content", "clip.mp4")
    (tmp_path / "uploads" / f"{upload.sha256}.json").unlink()
    (found,) = uploads.list_uploads(tmp_path)
    assert (found.sha256, found.path, found.size_bytes) == (upload.sha256, upload.path, 7)


def test_listing_is_newest_first_and_by_page(tmp_path: Path) -> None:
    added = []
    for number in range(5):
        upload = make.upload(tmp_path, f"{number}".encode(), f"{number}.mp4")
        for name in (upload.path, f"uploads/{upload.sha256}.json"):
            os.utime(tmp_path / name, (1000 + number, 1000 + number))
        added.append(upload.sha256)
    assert [u.sha256 for u in uploads.list_uploads(tmp_path)] == added[::-1]
    assert [u.sha256 for u in uploads.list_uploads(tmp_path, offset=1, limit=2)] == [added[3], added[2]]


def test_properties_are_kept_beside_the_file(tmp_path: Path) -> None:
    upload = make.upload(tmp_path)
    video = make.video_properties(upload)
    uploads.describe_upload(tmp_path, upload.sha256, video=video)
    assert uploads.find_upload(tmp_path, upload.sha256).video == video


@pytest.mark.parametrize("sha256", ["", "..", "A" * 64, "0" * 64, "0" * 63 + "/"])
def test_what_is_not_there_is_not_found(tmp_path: Path, sha256: str) -> None:
    with pytest.raises(uploads.UploadNotFound):
        uploads.find_upload(tmp_path, sha256)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\clips\\a.mp4", "a.mp4"),
        ("a\x00b\n.mp4", "a�b�.mp4"),
        ("x" * 300 + ".mp4", "x" * 251 + ".mp4"),
        ("\udcff.mp4", "�.mp4"),
        ("  ", "unnamed"),
        ("视频.mp4", "视频.mp4"),
    ],
)
def test_names_are_made_harmless(given: str, shown: str) -> None:
    assert uploads.clean_name(given) == shown


def test_an_ending_never_leaves_the_folder_or_hides_the_file(tmp_path: Path) -> None:
    for number, name in enumerate(["a.json", "noending", "a.m/../p4", "a.averylongending", "a.J$P"]):
        upload = uploads.add_stream(tmp_path, name, [str(number).encode()])
        assert Path(upload.path).parent == Path("uploads")
        assert Path(upload.path).suffix in (".bin", ".p4")
    assert len(uploads.list_uploads(tmp_path)) == 5
