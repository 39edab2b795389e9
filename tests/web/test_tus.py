"""The tus protocol as clients rely on it: https://tus.io/protocols/resumable-upload."""

from __future__ import annotations

import base64
import hashlib
import os
import threading
import time
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.test import Client, RequestFactory
from pytest_django.fixtures import Settings

from detection.records import partial, uploads
from detection.web import housekeeping, tus

BODY = "application/offset+octet-stream"
DAY_S = 86_400


def announce(client: Client, size: int, name: str = "clip.mp4", **headers: str) -> HttpResponse:
    encoded = base64.b64encode(name.encode()).decode()
    given = {"Tus-Resumable": "1.0.0", "Upload-Length": str(size), "Upload-Metadata": f"filename {encoded}", **headers}
    return client.post("/api/v1/tus/", headers=given)


def send(client: Client, address: str, at: int, content: bytes, **headers: str) -> HttpResponse:
    given = {"Tus-Resumable": "1.0.0", "Upload-Offset": str(at), **headers}
    return client.patch(address, content, content_type=BODY, headers=given)


def ask(client: Client, address: str) -> HttpResponse:
    return client.head(address, headers={"Tus-Resumable": "1.0.0"})


@pytest.fixture
def address(client: Client) -> str:
    """An announced upload of ten bytes."""
    return announce(client, 10)["Location"]


def test_it_says_what_it_can(client: Client, settings: Settings) -> None:
    settings.DEEPFAKE_MAX_UPLOAD_MB = 3
    answer = client.options("/api/v1/tus/")
    assert answer.status_code == 204
    assert (answer["Tus-Version"], answer["Tus-Resumable"]) == ("1.0.0", "1.0.0")
    assert set(answer["Tus-Extension"].split(",")) >= {"creation", "termination", "checksum", "expiration"}
    assert answer["Tus-Max-Size"] == str(3 * 1024 * 1024)
    assert "sha1" in answer["Tus-Checksum-Algorithm"].split(",")


def test_a_file_comes_in_pieces_and_is_kept_under_its_hash(client: Client, media: Path, clip: Path) -> None:
    content = clip.read_bytes()
    half = len(content) // 2
    created = announce(client, len(content), "假期.mp4")
    assert created.status_code == 201
    assert parsedate_to_datetime(created["Upload-Expires"]).timestamp() > time.time() + 6 * DAY_S
    first = send(client, created["Location"], 0, content[:half])
    assert (first.status_code, first["Upload-Offset"]) == (204, str(half))
    assert ask(client, created["Location"])["Upload-Offset"] == str(half)
    assert uploads.list_uploads(media) == []
    last = send(client, created["Location"], half, content[half:])
    assert (last.status_code, last["Upload-Offset"]) == (204, str(len(content)))
    (kept,) = uploads.list_uploads(media)
    assert last["Upload-Sha256"] == kept.sha256 == hashlib.sha256(content).hexdigest()
    assert (media / kept.path).read_bytes() == content
    assert kept.name == "假期.mp4"
    assert kept.video is not None
    assert kept.video.codec == "h264"


def test_who_missed_the_last_answer_hears_it_again(client: Client, address: str) -> None:
    digest = send(client, address, 0, b"0123456789")["Upload-Sha256"]
    again = ask(client, address)
    assert (again["Upload-Offset"], again["Upload-Length"], again["Upload-Sha256"]) == ("10", "10", digest)
    assert again["Cache-Control"] == "no-store"


@pytest.mark.parametrize("killed_after", ["the last byte", "the hash"])
def test_a_server_killed_before_the_end_completes_the_file_when_asked(
    client: Client, media: Path, address: str, monkeypatch: pytest.MonkeyPatch, killed_after: str
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(partial, "finish" if killed_after == "the last byte" else "add_incoming", killed)
        with pytest.raises(KeyboardInterrupt):
            send(client, address, 0, b"0123456789")
    assert uploads.list_uploads(media) == []
    digest = hashlib.sha256(b"0123456789").hexdigest()
    assert ask(client, address)["Upload-Sha256"] == digest
    assert [upload.sha256 for upload in uploads.list_uploads(media)] == [digest]


@pytest.mark.parametrize("at", [0, 3, 5, 10])
def test_bytes_that_do_not_follow_are_a_conflict(client: Client, address: str, at: int) -> None:
    send(client, address, 0, b"0123")
    answer = send(client, address, at, b"45678")
    assert (answer.status_code, answer["Upload-Offset"]) == (409, "4")
    assert ask(client, address)["Upload-Offset"] == "4"


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_a_piece_with_the_wrong_checksum_is_thrown_away(client: Client, address: str, algorithm: str) -> None:
    digest = base64.b64encode(hashlib.new(algorithm, b"01234").digest()).decode()
    wrong = send(client, address, 0, b"01x34", **{"Upload-Checksum": f"{algorithm} {digest}"})
    assert (wrong.status_code, wrong.reason_phrase) == (460, "Checksum Mismatch")
    assert ask(client, address)["Upload-Offset"] == "0"
    right = send(client, address, 0, b"01234", **{"Upload-Checksum": f"{algorithm} {digest}"})
    assert (right.status_code, right["Upload-Offset"]) == (204, "5")


@pytest.mark.parametrize("checksum", ["md5 1B2M2Y8AsgTpgAmY7PhCfg==", "sha1 §", "sha1"])
def test_a_checksum_that_cannot_be_verified_is_refused(client: Client, address: str, checksum: str) -> None:
    assert send(client, address, 0, b"01234", **{"Upload-Checksum": checksum}).status_code in (400, 460)
    assert ask(client, address)["Upload-Offset"] == "0"


def test_more_than_was_announced_is_not_kept(client: Client, address: str) -> None:
    assert send(client, address, 0, b"0" * 11).status_code == 413
    assert ask(client, address)["Upload-Offset"] == "0"


def test_a_file_that_is_too_large_is_refused_before_it_is_sent(client: Client, settings: Settings, media: Path) -> None:
    settings.DEEPFAKE_MAX_UPLOAD_MB = 1
    answer = announce(client, 1024 * 1024 + 1)
    assert answer.status_code == 413
    assert "DEEPFAKE_MAX_UPLOAD_MB" in answer.json()["error"]
    assert partial.unfinished(media) == []


@pytest.mark.parametrize("length", ["", "-1", "1e3", "x", "9" * 20])
def test_the_length_must_be_known(client: Client, length: str) -> None:
    assert announce(client, 0, **{"Upload-Length": length}).status_code == 400


def test_an_empty_file_is_refused(client: Client) -> None:
    assert "empty" in announce(client, 0).json()["error"]


@pytest.mark.parametrize("name", ["../../etc/passwd.mp4", "C:\\up\\passwd.mp4", "/passwd.mp4"])
def test_a_name_never_leads_out_of_the_folder(client: Client, media: Path, name: str) -> None:
    address = announce(client, 4, name)["Location"]
    send(client, address, 0, b"four")
    (kept,) = uploads.list_uploads(media)
    assert kept.name == "passwd.mp4"
    assert kept.path == f"uploads/{kept.sha256}.mp4"


@pytest.mark.parametrize("upload_id", ["0" * 32, "..", "%2e%2e%2f%2e%2e", "A" * 32, "0" * 31])
def test_what_was_never_announced_is_not_found(client: Client, upload_id: str) -> None:
    assert ask(client, f"/api/v1/tus/{upload_id}").status_code == 404
    assert send(client, f"/api/v1/tus/{upload_id}", 0, b"x").status_code == 404


def test_an_upload_is_given_up(client: Client, media: Path, address: str) -> None:
    send(client, address, 0, b"0123")
    assert client.delete(address, headers={"Tus-Resumable": "1.0.0"}).status_code == 204
    assert ask(client, address).status_code == 404
    assert list(uploads.incoming_dir(media).iterdir()) == []


def test_what_nobody_goes_on_with_expires(client: Client, media: Path, settings: Settings) -> None:
    settings.DEEPFAKE_KEEP_PARTIAL_DAYS = 2
    old, young, done = (announce(client, 4)["Location"] for _ in range(3))
    send(client, done, 0, b"done")
    (uploads.incoming_dir(media) / "left by a killed process").touch()
    for path in uploads.incoming_dir(media).rglob("*"):
        days = 1.9 if young[-32:] in path.parts else 2.1
        os.utime(path, (time.time() - days * DAY_S,) * 2)
    housekeeping.tidy()
    assert [ask(client, address).status_code for address in (old, young, done)] == [404, 200, 404]
    assert [path.name for path in uploads.incoming_dir(media).iterdir()] == [young[-32:]]
    assert len(uploads.list_uploads(media)) == 1


def test_a_broken_connection_keeps_what_came(media: Path, address: str, client: Client) -> None:
    headers = {"Tus-Resumable": "1.0.0", "Upload-Offset": "0"}
    request = RequestFactory().patch(address, b"0123456789", content_type=BODY, headers=headers)
    answer = tus.item(_breaking(request, [b"01", b"23"]), address[-32:])
    assert answer["Upload-Offset"] == "4"
    assert ask(client, address)["Upload-Offset"] == "4"
    checked = {**headers, "Upload-Offset": "4", "Upload-Checksum": "sha1 " + base64.b64encode(b"0" * 20).decode()}
    request = RequestFactory().patch(address, b"456789", content_type=BODY, headers=checked)
    assert tus.item(_breaking(request, [b"45"]), address[-32:]).status_code == 460
    assert ask(client, address)["Upload-Offset"] == "4"


def _breaking(request: HttpRequest, pieces: list[bytes]) -> HttpRequest:
    def read(size: int) -> bytes:
        if not pieces:
            raise UnreadablePostError("connection reset")
        return pieces.pop(0)

    request.read = read
    return request


def test_a_body_is_streamed_in_small_pieces_and_never_held(media: Path, client: Client) -> None:
    size = 5 * 1024 * 1024 + 3
    address = announce(client, size)["Location"]
    headers = {"Tus-Resumable": "1.0.0", "Upload-Offset": "0"}
    request = RequestFactory().patch(address, b"y" * size, content_type=BODY, headers=headers)
    read, pieces = request.read, []

    def counted(limit: int) -> bytes:
        pieces.append(read(limit))
        return pieces[-1]

    request.read = counted
    assert tus.item(request, address[-32:]).status_code == 204
    assert max(map(len, pieces)) <= 1024 * 1024
    assert not hasattr(request, "_body")


def test_one_connection_at_a_time_appends(media: Path, client: Client, address: str) -> None:
    began, go_on = threading.Event(), threading.Event()

    def slowly() -> bytes:
        began.set()
        assert go_on.wait(30)
        yield b"0123456789"

    other = threading.Thread(target=partial.append, args=(media, address[-32:], 0, slowly()))
    other.start()
    assert began.wait(30)
    assert send(client, address, 0, b"abc").status_code == 423
    assert ask(client, address)["Upload-Offset"] == "0"
    go_on.set()
    other.join()
    assert "Upload-Sha256" in ask(client, address)


def test_the_same_file_sent_twice_at_once_is_kept_once(client: Client, media: Path) -> None:
    addresses = [announce(client, 8, f"{n}.mp4")["Location"] for n in range(4)]
    for piece in range(4):
        for address in addresses:
            send(client, address, 2 * piece, b"ab")
    (kept,) = uploads.list_uploads(media)
    assert {ask(client, address)["Upload-Sha256"] for address in addresses} == {kept.sha256}


def test_bytes_may_come_with_the_announcement(client: Client, media: Path) -> None:
    headers = {"Tus-Resumable": "1.0.0", "Upload-Length": "4"}
    answer = client.post("/api/v1/tus/", b"four", content_type=BODY, headers=headers)
    assert (answer.status_code, answer["Upload-Offset"]) == (201, "4")
    assert uploads.list_uploads(media)[0].sha256 == answer["Upload-Sha256"]


def test_another_version_is_refused(client: Client, address: str) -> None:
    answer = client.head(address, headers={"Tus-Resumable": "0.2.2"})
    assert (answer.status_code, answer["Tus-Version"]) == (412, "1.0.0")
    assert client.head(address).status_code == 412


def test_another_type_of_body_is_refused(client: Client, address: str) -> None:
    headers = {"Tus-Resumable": "1.0.0", "Upload-Offset": "0"}
    assert client.patch(address, b"01", content_type="video/mp4", headers=headers).status_code == 415


def test_a_page_needs_the_token_whatever_the_method(media: Path, address: str) -> None:
    page = Client(enforce_csrf_checks=True, headers={"Sec-Fetch-Site": "cross-site"})
    assert announce(page, 4).status_code == 403
    assert send(page, address, 0, b"01").status_code == 403
    assert page.delete(address, headers={"Tus-Resumable": "1.0.0"}).status_code == 403
    override = {"Tus-Resumable": "1.0.0", "X-HTTP-Method-Override": "DELETE"}
    assert page.get(address, headers=override).status_code == 405
    assert page.post(address, headers=override).status_code == 403
    page.cookies["csrftoken"] = token = "a" * 32
    assert send(page, address, 0, b"01", **{"X-CSRFToken": token}).status_code == 204
    assert page.post(address, headers={**override, "X-CSRFToken": token}).status_code == 204
    assert ask(page, address).status_code == 404


def test_a_full_disk_is_told_and_what_came_is_kept(
    client: Client, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = partial._write

    def full(file: object, chunks: object, *rest: object) -> None:
        write(file, [b"01"], *rest)
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(partial, "_write", full)
        answer = send(client, address, 0, b"0123456789")
    assert answer.status_code == 507
    assert "disk is full" in answer.json()["error"]
    assert ask(client, address)["Upload-Offset"] == "2"
