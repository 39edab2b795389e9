from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client

from detection import jobs
from detection.records.schema import Reason
from detection.records.uploads import Upload
from tests.web import samples

ADDRESSES = ["/keyframe/", "/keyframe_batch/"]


@pytest.mark.parametrize("address", ADDRESSES)
def test_without_videos_it_leads_to_the_first_page(client: Client, address: str) -> None:
    assert "No videos yet." in client.get(address).content.decode()


@pytest.mark.parametrize("address", ADDRESSES)
def test_it_offers_finished_runs_and_files_without_one(
    client: Client, media: Path, upload: Upload, address: str
) -> None:
    page = client.get(address).content.decode()
    assert f'value="{upload.sha256}"' in page
    run = samples.finished_run(media, upload)
    page = client.get(address).content.decode()
    assert f'value="{run.id}"' in page
    assert f'value="{upload.sha256}"' not in page


def test_it_shows_the_key_frames_of_a_run(client: Client, media: Path, upload: Upload) -> None:
    run = samples.finished_run(media, upload)
    response = client.post("/keyframe/", {"run": run.id})
    assert response.url == f"/keyframe/?run={run.id}"
    page = client.get(response.url).content.decode()
    assert page.count('<figure class="pair">') == len(run.analysis.modules["space"].evidence) // 2


def test_it_shows_those_of_several(client: Client, media: Path, upload: Upload) -> None:
    runs = [samples.finished_run(media, upload).id for _ in range(2)]
    response = client.post("/keyframe_batch/", {"run": runs}, follow=True)
    assert [each.run.id for each in response.context["chosen"]] == runs


def test_a_file_without_a_run_is_analysed_first(client: Client, upload: Upload) -> None:
    page = client.post("/keyframe/", {"upload": upload.sha256}, follow=True).content.decode()
    (run,) = jobs.active()
    assert run.modules == ("space",)
    assert f'data-run="{run.id}"' in page


def test_no_key_frames_have_their_reason(client: Client, media: Path, upload: Upload) -> None:
    run = samples.finished_run(media, upload, reason=Reason.NO_FACE)
    assert "No face was found." in client.get(f"/keyframe/?run={run.id}").content.decode()


@pytest.mark.parametrize("form", [{}, {"upload": "0" * 64}])
def test_it_explains_what_is_wrong(client: Client, form: dict) -> None:
    assert 'class="notice error"' in client.post("/keyframe/", form, follow=True).content.decode()


def test_a_run_that_is_not_there_is_not_found(client: Client) -> None:
    assert client.get("/keyframe/?run=20260101-000000000-000000").status_code == 404
