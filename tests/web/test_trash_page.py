from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from detection import jobs
from detection.records import query, trash, upload_trash, uploads
from detection.records.uploads import Upload
from tests.web import samples


def test_several_results_are_deleted_and_brought_back_at_once(client: Client, media: Path, upload: Upload) -> None:
    runs = [samples.finished_run(media, upload).id for _ in range(3)]
    response = client.post(reverse("runs-delete"), {"run": runs[:2], "next": "/history/?verdict=fake"})
    assert response.url == f"/history/?verdict=fake&deleted={runs[0]}&deleted={runs[1]}"
    page = client.get(response.url)
    assert "2 results were deleted." in page.content.decode()
    assert "It can be brought back for 30 days." in page.content.decode()
    assert [row.id for row in query.history(media).page().rows] == runs[2:]
    back = client.post(reverse("restore"), {"run": runs[:2], "next": page.context["undo"].back}, follow=True)
    assert back.redirect_chain[0][0] == "/history/?verdict=fake"
    assert "2 were brought back." in back.content.decode()
    assert query.history(media).page().total == 3


def test_nothing_is_offered_that_is_not_in_the_trash(client: Client, media: Path, upload: Upload) -> None:
    run = samples.finished_run(media, upload)
    page = client.get(f"/history/?deleted={run.id}&deleted=nonsense&removed={upload.sha256}&removed=x")
    assert page.context["undo"] is None


def test_a_run_that_is_worked_on_stays_and_the_others_go(client: Client, media: Path, upload: Upload) -> None:
    done = samples.finished_run(media, upload).id
    (queued,) = jobs.start([upload.sha256], ["space"])
    page = client.post(reverse("runs-delete"), {"run": [queued, done]}, follow=True).content.decode()
    assert "Something is still being done with “clip.mp4”" in page
    assert trash.deleted_ids(media) == [done]
    assert [run.id for run in jobs.active()] == [queued]


def test_choosing_nothing_says_so(client: Client) -> None:
    page = client.post(reverse("runs-delete"), {}, follow=True).content.decode()
    assert "Choose at least one result." in page


@pytest.mark.parametrize("address", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", ""])
def test_a_form_leads_nowhere_else(client: Client, media: Path, upload: Upload, address: str) -> None:
    run = samples.finished_run(media, upload)
    assert client.post(reverse("runs-delete"), {"run": run.id, "next": address}).url.startswith("/history/")
    assert client.post(reverse("restore"), {"run": run.id, "next": address}).url == "/trash/"


def test_the_trash_lists_what_can_be_brought_back(client: Client, media: Path, upload: Upload) -> None:
    run = samples.finished_run(media, upload)
    assert "The trash is empty." in client.get("/trash/").content.decode()
    jobs.delete(run.id)
    upload_trash.delete_upload(media, upload.sha256)
    page = client.get("/trash/").content.decode()
    assert page.count("Bring back clip.mp4") == 2
    assert "Probably forged" in page
    client.post(reverse("restore"), {"run": run.id, "upload": upload.sha256})
    assert query.history(media).page().total == 1
    assert uploads.list_uploads(media) == [upload]
    again = client.post(reverse("restore"), {"run": run.id}, follow=True).content.decode()
    assert "It is not in the trash any more" in again


def test_emptying_asks_first(client: Client, media: Path, upload: Upload) -> None:
    run = samples.finished_run(media, upload)
    jobs.delete(run.id)
    upload_trash.delete_upload(media, upload.sha256)
    assert "This cannot be undone." in client.get("/trash/empty/").content.decode()
    assert trash.deleted_ids(media) == [run.id]
    client.post("/trash/empty/")
    assert (trash.deleted_ids(media), upload_trash.deleted_hashes(media)) == ([], [])
    assert not (media / "previews" / upload.sha256).exists()


def test_the_pages_say_how_long_things_are_kept(client: Client, settings: Settings) -> None:
    assert "Results stay until you delete them." in client.get("/history/").content.decode()
    settings.DEEPFAKE_KEEP_DAYS = 7
    assert "7 days after it was finished" in client.get("/history/").content.decode()
    assert "stays here for 7 days" in client.get("/trash/").content.decode()
    assert "removed after 7 days" in client.get("/Space_Upload_1/").content.decode()
