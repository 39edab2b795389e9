from __future__ import annotations

import hashlib
import time
from pathlib import Path

import pytest
from django.http import UnreadablePostError
from django.test import Client, RequestFactory
from pytest_django.fixtures import Settings

from detection.records import uploads
from detection.records.uploads import Upload
from detection.web.receive import UploadRefused, receive_body
from tests.web import samples


def send(client: Client, content: bytes, name: str = "clip.mp4") -> dict:
    response = client.post(f"/api/v1/uploads?name={name}", content, content_type="application/octet-stream")
    return {"status": response.status_code, **response.json()}


def test_it_keeps_the_bytes_and_says_what_they_are(client: Client, media: Path, clip: Path) -> None:
    answer = send(client, clip.read_bytes())
    assert answer["status"] == 201
    assert answer["sha256"] == hashlib.sha256(clip.read_bytes()).hexdigest()
    assert answer["video"]["codec"] == "h264"
    assert (answer["video"]["width"], answer["video"]["height"]) == (480, 270)
    assert answer["video"]["duration_s"] == pytest.approx(2.0, abs=0.1)
    assert (media / answer["path"]).read_bytes() == clip.read_bytes()


def test_the_name_is_the_persons_in_the_description_and_never_a_path(client: Client, clip: Path) -> None:
    answer = send(client, clip.read_bytes(), "..%2F..%2F%E8%A7%86%E9%A2%91.mp4")
    assert answer["name"] == answer["video"]["name"] == "视频.mp4"
    assert answer["path"] == f"uploads/{answer['sha256']}.mp4"


def test_the_same_file_is_kept_once_and_its_result_is_named(
    client: Client, media: Path, upload: Upload, clip: Path
) -> None:
    run = samples.finished_run(media, upload)
    answer = send(client, clip.read_bytes(), "copy.mp4")
    assert answer["latest_run"] == run.id
    assert len(uploads.list_uploads(media)) == 1


def test_the_type_is_read_from_the_content(client: Client) -> None:
    answer = send(client, b"just some text", "movie.mp4")
    assert answer["status"] == 201
    assert (answer["video"], answer["problem"]) == (None, "unreadable")


def test_an_empty_file_is_refused_with_the_reason(client: Client, media: Path) -> None:
    answer = send(client, b"")
    assert answer["status"] == 400
    assert "empty" in answer["error"]
    assert uploads.list_uploads(media) == []


def test_a_file_over_the_limit_is_refused_before_it_is_read(client: Client, settings: Settings, media: Path) -> None:
    settings.DEEPFAKE_MAX_UPLOAD_MB = 1
    answer = send(client, b"x" * (1024 * 1024 + 1))
    assert answer["status"] == 413
    assert "DEEPFAKE_MAX_UPLOAD_MB" in answer["error"]
    assert uploads.list_uploads(media) == []


def test_a_name_is_needed(client: Client) -> None:
    response = client.post("/api/v1/uploads", b"x", content_type="application/octet-stream")
    assert response.status_code == 400
    assert "name" in response.json()["error"]


@pytest.mark.parametrize("broken_by", ["end", "error"])
def test_a_broken_connection_leaves_nothing_behind(media: Path, broken_by: str) -> None:
    request = RequestFactory().post("/", b"x" * 100, content_type="application/octet-stream")
    parts = iter([b"x" * 50, b""])

    def read(size: int) -> bytes:
        part = next(parts)
        if not part and broken_by == "error":
            raise UnreadablePostError("connection reset")
        return part

    request.read = read
    with pytest.raises(UploadRefused, match="connection"):
        receive_body(request, "clip.mp4")
    assert list(uploads.incoming_dir(media).iterdir()) == []
    assert uploads.list_uploads(media) == []


def test_it_is_streamed_in_pieces(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    size = 5 * 1024 * 1024 + 3
    request = RequestFactory().post("/", b"y" * size, content_type="application/octet-stream")
    read, pieces = request.read, []

    def counted(limit: int) -> bytes:
        pieces.append(read(limit))
        return pieces[-1]

    request.read = counted
    assert receive_body(request, "clip.mp4").size_bytes == size
    assert max(map(len, pieces)) <= 1024 * 1024


def test_a_page_needs_the_token(clip: Path) -> None:
    strict = Client(enforce_csrf_checks=True)
    data = {"data": clip.read_bytes(), "content_type": "application/octet-stream"}
    token = "a" * 32
    strict.cookies["csrftoken"] = token
    assert strict.post("/api/v1/uploads?name=a.mp4", **data).status_code == 403
    assert strict.post("/api/v1/uploads?name=a.mp4", headers={"X-CSRFToken": token}, **data).status_code == 201


def test_it_lists_and_removes(client: Client, upload: Upload, media: Path) -> None:
    assert [each["sha256"] for each in client.get("/api/v1/uploads").json()["uploads"]] == [upload.sha256]
    assert client.delete(f"/api/v1/uploads/{upload.sha256}").status_code == 204
    assert client.get(f"/api/v1/uploads/{upload.sha256}").status_code == 404
    assert client.post(f"/api/v1/uploads/{upload.sha256}/restore").json()["name"] == upload.name
    assert (media / "previews" / upload.sha256).exists()


def test_a_playable_file_is_played_itself(client: Client, upload: Upload) -> None:
    answer = client.get(f"/api/v1/uploads/{upload.sha256}/playback").json()
    assert answer == {"state": "source", "url": f"/media/uploads/{upload.sha256}/source"}


def test_a_file_that_browsers_cannot_play_gets_a_copy(client: Client, media: Path, tmp_path: Path) -> None:
    upload = samples.add_upload(media, samples.face_clip(tmp_path / "old.avi", codec="mpeg4"))
    address = f"/api/v1/uploads/{upload.sha256}/playback"
    assert client.get(address).json()["state"] == "preparing"
    deadline = time.monotonic() + 60
    while (answer := client.get(address).json())["state"] == "preparing" and time.monotonic() < deadline:
        time.sleep(0.1)
    assert answer["state"] == "copy"
    assert client.get(answer["url"], headers={"Range": "bytes=0-99"}).status_code == 206


def test_what_is_no_video_cannot_be_played(client: Client, media: Path, tmp_path: Path) -> None:
    text = tmp_path / "text.mp4"
    text.write_text("no video")
    upload = samples.add_upload(media, text)
    assert client.get(f"/api/v1/uploads/{upload.sha256}/playback").json() == {"state": "failed", "url": None}
