"""The items of OWASP's File Upload Cheat Sheet, one test or more each.

| item | here |
| --- | --- |
| list allowed extensions, decode names first | the name decides nothing but a suffix of letters and digits |
| don't trust Content-Type; validate the file's type | the content is probed; what is no video is told to be none |
| change the filename to one that the application makes | the hash of the content |
| limit the filename's length and characters | `uploads.clean_name` |
| limit the file's size | `DEEPFAKE_MAX_UPLOAD_MB`, quotas. What decoding may take is not tested here |
| only authorised users upload | passphrase or token; nobody from other machines without |
| store outside the web root, hand out through a handler | only `media.py`'s addresses lead to files |
| permissions: not executable | no execute bit |
| protect from CSRF | the token |
| safe library, kept up to date | exact pins (tests/test_pins.py) |
| hand nothing out as active content | own types, `nosniff`; `sandbox` for what is no picture or video |
| overwriting and doubles | the same name twice is two files, the same bytes once |
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from detection.records import partial, upload_trash, uploads
from detection.records.uploads import Upload
from detection.web import quota
from tests.web import samples

NASTY = [
    "../../../etc/passwd", "..\\..\\boot.ini", "clip.mp4\x00.php", "clip.php", "clip.mp4.php", "clip.phtml;.mp4",
    ".htaccess", "clip.mp4/", "con.mp4", "\u202e4pm.exe", "a" * 300 + ".mp4", "clip.mp4::$DATA", "<script>.mp4",
    "x.json",
]  # fmt: skip


def send(client: Client, content: bytes, name: str = "clip.mp4", **more: str) -> dict:
    address = reverse("api-uploads")
    response = client.post(
        address, content, content_type="application/octet-stream", query_params={"name": name}, **more
    )
    return {"status": response.status_code, **response.json()}


@pytest.mark.parametrize("name", NASTY)
def test_the_name_never_becomes_a_path(client: Client, media: Path, tmp_path: Path, name: str) -> None:
    before = {path for path in tmp_path.rglob("*") if not path.is_relative_to(media)}
    answer = send(client, b"content of " + name.encode(), name)
    assert answer["status"] == 201
    stored = Path(answer["path"])
    assert stored.parent == Path("uploads")
    assert stored.stem == answer["sha256"] == hashlib.sha256(b"content of " + name.encode()).hexdigest()
    assert stored.suffix[1:].isalnum()
    assert stored.suffix != ".json"  # where the program keeps what it knows itself
    assert {path for path in tmp_path.rglob("*") if not path.is_relative_to(media)} == before


@pytest.mark.parametrize("name", NASTY)
def test_the_name_that_is_shown_is_short_and_printable(client: Client, name: str) -> None:
    shown = send(client, b"x", name)["name"]
    assert 0 < len(shown) <= 255
    assert shown.isprintable()
    assert not set(shown) & set("/\\")


def test_neither_the_name_nor_the_header_says_what_a_file_is(client: Client) -> None:
    answer = send(client, b"<?php system($_GET['c']); ?>", "clip.mp4", HTTP_X_CONTENT_TYPE="video/mp4")
    assert (answer["video"], answer["problem"]) == (None, "unreadable")


@pytest.mark.parametrize("name", ["page.html", "page.svg", "page.xhtml", "script.js", "style.css", "page.xml"])
def test_active_content_is_never_sent_as_such(client: Client, name: str) -> None:
    sha256 = send(client, b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", name)["sha256"]
    response = client.get(reverse("source", args=[sha256]))
    assert response["Content-Type"] == "application/octet-stream"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response["Content-Security-Policy"]


def test_a_video_is_sent_as_one_under_the_sites_policy(client: Client, upload: Upload) -> None:
    response = client.get(reverse("source", args=[upload.sha256]))
    assert (response["Content-Type"], response["X-Content-Type-Options"]) == ("video/mp4", "nosniff")
    assert "default-src 'self'" in response["Content-Security-Policy"]


def test_size_is_limited_before_anything_is_kept(client: Client, settings: Settings, media: Path) -> None:
    settings.DEEPFAKE_MAX_UPLOAD_MB = 1
    assert send(client, b"x" * (1024 * 1024 + 1))["status"] == 413
    assert uploads.list_uploads(media) == []


def test_all_uploads_together_are_limited(client: Client, settings: Settings, media: Path) -> None:
    settings.DEEPFAKE_QUOTA_MB = 1
    assert send(client, b"a" * 700_000)["status"] == 201
    refused = send(client, b"b" * 700_000)
    assert refused["status"] == 507
    assert "DEEPFAKE_QUOTA_MB" in refused["error"]
    sha256 = uploads.list_uploads(media)[0].sha256
    client.delete(f"/api/v1/uploads/{sha256}")
    assert send(client, b"b" * 700_000)["status"] == 507  # the trash counts
    upload_trash.purge_upload(media, sha256)
    assert send(client, b"b" * 700_000)["status"] == 201


def test_the_uploads_of_a_day_are_limited(client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DEEPFAKE_QUOTA_MB_PER_DAY = 1
    assert send(client, b"a" * 700_000)["status"] == 201
    assert "DEEPFAKE_QUOTA_MB_PER_DAY" in send(client, b"b" * 700_000)["error"]
    monkeypatch.setattr(quota, "DAY_S", -1.0)  # a day later
    assert send(client, b"b" * 700_000)["status"] == 201


def test_uploads_that_are_not_finished_count_too(client: Client, settings: Settings, media: Path) -> None:
    announced = partial.create(media, "half.mp4", 900_000)
    partial.append(media, announced.id, 0, [b"h" * 800_000])
    settings.DEEPFAKE_QUOTA_MB = 1
    assert "DEEPFAKE_QUOTA_MB" in send(client, b"n" * 500_000)["error"]


def test_only_who_may_uploads(client: Client, media: Path) -> None:
    assert send(client, b"x", REMOTE_ADDR="192.0.2.7")["status"] == 403
    assert uploads.list_uploads(media) == []


def test_another_sites_page_cannot_upload(media: Path) -> None:
    strict = Client(enforce_csrf_checks=True)
    assert send(strict, b"x", HTTP_ORIGIN="https://evil.example")["status"] == 403
    assert uploads.list_uploads(media) == []


@pytest.mark.parametrize(
    "path", ["uploads/{file}", "uploads/{sha256}.json", ".secret_key", "log/space.jsonl", "access/tokens.json"]
)
def test_media_is_no_web_root(client: Client, media: Path, upload: Upload, path: str) -> None:
    (media / "access").mkdir()
    for name in (".secret_key", "access/tokens.json"):
        (media / name).write_text("secret")
    address = path.format(file=Path(upload.path).name, sha256=upload.sha256)
    assert client.get(f"/media/{address}").status_code == 404
    assert client.get(f"/static/../media/{address}").status_code == 404


def test_what_was_uploaded_is_not_executable(media: Path, upload: Upload) -> None:
    assert uploads.file_path(media, upload).stat().st_mode & 0o111 == 0


def test_the_same_name_overwrites_nothing_and_the_same_bytes_are_kept_once(client: Client, media: Path) -> None:
    first, second, again = (send(client, content) for content in (b"one", b"two", b"one"))
    assert first["sha256"] == again["sha256"] != second["sha256"]
    assert (media / first["path"]).read_bytes() == b"one"
    assert len(uploads.list_uploads(media)) == 2


def test_a_picture_of_a_run_has_its_type_and_nothing_else_is_handed_out(
    client: Client, media: Path, upload: Upload
) -> None:
    run = samples.finished_run(media, upload)
    (media / "runs" / run.id / "page.html").write_text("<script>alert(1)</script>")
    assert client.get(f"/media/runs/{run.id}/page.html").status_code == 404
