"""A program on this machine needs no token; a page of another site gets nothing done, whatever it sends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.test import Client

from detection import jobs
from detection.records import uploads
from detection.records.uploads import Upload

ADDRESS = "/api/v1/runs"


@pytest.fixture
def strict() -> Client:
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def upload(media: Path, clip: Path) -> Upload:
    with clip.open("rb") as file:
        return uploads.add_stream(media, clip.name, uploads.read_chunks(file))


def start(client: Client, upload: Upload, kind: str = "application/json", **headers: str) -> int:
    body = json.dumps({"uploads": [upload.sha256], "modules": ["space"]})
    return client.post(ADDRESS, body, content_type=kind, headers=headers).status_code


def test_a_program_needs_no_token(strict: Client, upload: Upload) -> None:
    assert start(strict, upload) == 202
    (run,) = jobs.active()
    assert strict.generic("POST", f"{ADDRESS}/{run.id}/cancel", "", "text/plain").status_code == 200
    assert strict.delete(f"{ADDRESS}/{run.id}").status_code == 204


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Referer": "https://elsewhere.example/page"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Mode": "no-cors"},
    ],
    ids=str,
)
def test_a_page_of_another_site_is_refused(strict: Client, upload: Upload, headers: dict[str, str]) -> None:
    assert start(strict, upload, **headers) == 403
    assert strict.delete(f"/api/v1/uploads/{upload.sha256}", headers=headers).status_code == 403
    assert jobs.active() == []


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_what_a_form_can_send_is_refused(strict: Client, upload: Upload, kind: str) -> None:
    assert start(strict, upload, kind) == 403
    assert jobs.active() == []


def test_a_cookie_asks_for_its_token(strict: Client, upload: Upload) -> None:
    token = strict.get("/api/v1/").json()["csrf_token"]
    assert start(strict, upload) == 403
    origin = {"Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"}
    assert start(strict, upload, **origin) == 403
    assert start(strict, upload, **origin, **{"X-CSRFToken": token}) == 202


def test_a_foreign_name_is_refused(strict: Client) -> None:
    """A name that someone else lets point to this machine (DNS rebinding) opens nothing."""
    assert strict.get("/api/v1/history", headers={"Host": "elsewhere.example"}).status_code == 400


def test_pages_outside_the_interface_always_need_the_token(strict: Client, upload: Upload) -> None:
    (run_id,) = jobs.start([upload.sha256], ["space"])
    assert strict.post(f"/runs/{run_id}/cancel/", content_type="application/json").status_code == 403
