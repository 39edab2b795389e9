from __future__ import annotations

from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from detection import jobs
from detection.records import query, uploads
from detection.records.schema import RunState
from detection.records.uploads import Upload
from tests.web import samples


def test_the_site_begins_with_the_upload_page(client: Client) -> None:
    assert client.get("/").url == "/Space_Upload_1/"


@pytest.mark.parametrize("name", ["Space", "Feature", "Blend"])
def test_every_module_has_its_page(client: Client, name: str) -> None:
    assert client.get(f"/{name}_Upload_1/").status_code == 200


def test_files_stay_listed_with_their_properties(client: Client, upload: Upload) -> None:
    page = client.get("/Space_Upload_1/").content.decode()
    for fact in ("clip.mp4", "480 × 270", "H.264", "2.0 s"):
        assert fact in page


def test_a_file_that_was_analysed_offers_its_result(client: Client, upload: Upload, media: Path) -> None:
    run = samples.finished_run(media, upload)
    page = client.get("/Space_Upload_1/").content.decode()
    assert reverse("run", args=[run.id]) in page
    assert "Probably forged" in page
    assert "Analysed" in page


def test_only_what_was_never_analysed_is_ticked(client: Client, upload: Upload, media: Path) -> None:
    def box() -> str:
        return client.get("/Space_Upload_1/").content.decode().split('name="uploads"')[1].split(">")[0]

    assert " checked" in box()
    run = samples.finished_run(media, upload)
    assert " checked" not in box()
    jobs.delete(run.id)
    assert " checked" not in box()
    assert "Its result was deleted." in client.get("/Space_Upload_1/").content.decode()


def test_a_file_that_is_no_video_says_why_and_cannot_be_started(client: Client, media: Path, tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_text("text")
    samples.add_upload(media, tmp_path / "a.mp4")
    row = client.get("/Space_Upload_1/").content.decode().split('name="uploads"')[1]
    assert "The file cannot be read as a video." in row
    assert " disabled" in row.split(">")[0]


def test_names_are_escaped(client: Client, media: Path, clip: Path) -> None:
    samples.add_upload(media, clip, "<img src=x onerror=alert(1)>.mp4")
    page = client.get("/Space_Upload_1/").content.decode()
    assert "<img src=x" not in page
    assert "&lt;img src=x" in page


def test_a_form_without_script_uploads_several_files(client: Client, media: Path, clip: Path) -> None:
    files = [SimpleUploadedFile("a.mp4", clip.read_bytes()), SimpleUploadedFile("b.mp4", b"text")]
    response = client.post("/Space_Upload_1/", {"files": files})
    assert response.url == "/Space_Upload_1/"
    assert {u.name for u in uploads.list_uploads(media)} == {"a.mp4", "b.mp4"}


def test_a_form_that_is_too_large_says_so(client: Client, settings: Settings, media: Path) -> None:
    settings.DEEPFAKE_MAX_UPLOAD_MB = 1
    response = client.post("/Space_Upload_1/", {"files": SimpleUploadedFile("a.mp4", b"x" * (1024 * 1024 + 1))})
    assert response.status_code == 413
    assert "DEEPFAKE_MAX_UPLOAD_MB" in response.content.decode()
    assert uploads.list_uploads(media) == []


@pytest.mark.parametrize("address", ["/Space_detect", "/Space_detect/"])
def test_start_queues_a_run_per_file(client: Client, upload: Upload, address: str) -> None:
    response = client.post(address, {"uploads": [upload.sha256]})
    (run,) = jobs.active()
    assert response.url == f"/runs/{run.id}/"  # where it is followed, and where its result opens
    assert (run.sha256, run.modules, run.state) == (upload.sha256, ("space",), RunState.QUEUED)
    page = client.get("/Space_Upload_1/").content.decode()
    assert f'data-run="{run.id}"' in page


def test_who_waits_is_told_that_nobody_works(client: Client, upload: Upload) -> None:
    page = client.post("/Space_detect", {"uploads": [upload.sha256]}, follow=True).content.decode()
    assert "Nothing is working off the queue." in page


def test_start_takes_the_chosen_modules(client: Client, upload: Upload) -> None:
    client.post("/Space_detect", {"uploads": [upload.sha256], "modules": ["space", "blend"]})
    assert jobs.active()[0].modules == ("space", "blend")


@pytest.mark.parametrize("form", [{}, {"uploads": ["0" * 64]}, {"uploads": ["../x"], "modules": ["nonsense"]}])
def test_start_explains_what_is_wrong(client: Client, form: dict) -> None:
    response = client.post("/Space_detect", form, follow=True)
    assert 'class="notice error"' in response.content.decode()
    assert jobs.active() == []


def test_start_rejects_get(client: Client) -> None:
    assert client.get("/Space_detect").status_code == 405


def test_removing_keeps_the_results_and_can_be_undone(client: Client, media: Path, upload: Upload) -> None:
    samples.finished_run(media, upload)
    removed = client.post(reverse("upload-remove", args=[upload.sha256]), follow=True).content.decode()
    assert "“clip.mp4” was removed." in removed
    assert uploads.list_uploads(media) == []
    assert query.history(media).page().total == 1
    back = client.post(reverse("restore"), {"upload": upload.sha256, "next": "/Space_Upload_1/"})
    assert back.url == "/Space_Upload_1/"
    assert uploads.list_uploads(media) == [upload]


def test_a_file_that_is_being_analysed_is_not_removed(client: Client, media: Path, upload: Upload) -> None:
    jobs.start([upload.sha256], ["space"])
    client.post(reverse("upload-remove", args=[upload.sha256]))
    assert len(uploads.list_uploads(media)) == 1


def test_a_long_list_has_pages(client: Client, media: Path) -> None:
    for number in range(52):
        uploads.add_stream(media, f"{number}.mp4", [str(number).encode()])
    first = client.get("/Space_Upload_1/").content.decode()
    second = client.get("/Space_Upload_1/?page=2").content.decode()
    assert (first.count('name="uploads"'), second.count('name="uploads"')) == (50, 2)
    assert client.get("/Space_Upload_1/?page=nonsense").status_code == 200


def test_it_says_when_nothing_works_off_the_queue(client: Client, upload: Upload) -> None:
    jobs.start([upload.sha256], ["space"])
    assert "manage.py worker" in client.get("/Space_Upload_1/").content.decode()
