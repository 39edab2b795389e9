from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client

from detection import jobs
from detection.records.schema import Reason
from detection.records.uploads import Upload
from tests.web import samples

NAMES = ["Space", "Feature", "Blend"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("slash", ["", "/"])
def test_history_leads_to_the_modules_history(client: Client, name: str, slash: str) -> None:
    assert client.get(f"/{name}_result_history{slash}").url == f"/history/?module={name.lower()}"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("slash", ["", "/"])
def test_update_gives_verdict_confidence_and_pictures(
    client: Client, media: Path, upload: Upload, name: str, slash: str
) -> None:
    run = samples.finished_run(media, upload, modules=(name.lower(),))
    response = client.post(f"/{name}_Update{slash}", {"rowData[]": ["1", "clip.mp4", run.id]})
    part = response.content.decode()
    assert "<html" not in part
    assert "Probably forged" in part
    assert "93\u00a0%" in part
    assert f"/media/runs/{run.id}/{name.lower()}/mri/1_0.png" in part


def test_update_takes_several_rows(client: Client, media: Path, upload: Upload) -> None:
    runs = [samples.finished_run(media, upload).id, samples.finished_run(media, upload, reason=Reason.NO_FACE).id]
    part = client.post("/Space_Update", {"rowData[]": runs}).content.decode()
    assert part.count("data-run-row") == 2
    assert "No face was found." in part


@pytest.mark.parametrize("name", NAMES)
def test_batch_update_gives_the_whole_result(client: Client, media: Path, upload: Upload, name: str) -> None:
    run = samples.finished_run(media, upload)
    part = client.post(f"/{name}_batch_Update", {"rowData[]": [run.id]}).content.decode()
    assert "<html" not in part
    assert "A face in this video was probably forged." in part
    assert upload.sha256 in part


@pytest.mark.parametrize("address", ["/Space_Update", "/Space_batch_Update"])
def test_rows_without_a_run_are_refused(client: Client, address: str) -> None:
    assert client.post(address, {"rowData[]": ["nonsense"]}).status_code == 400
    assert client.post(address, {"rowData[]": ["20260101-000000000-000000"]}).status_code == 404
    assert client.get(address).status_code == 405


def test_progress_is_that_of_the_modules_runs(client: Client, upload: Upload) -> None:
    (space,) = jobs.start([upload.sha256], ["space"])
    jobs.start([upload.sha256], ["blend"])
    answer = client.get("/get_detection_progress?detect_method=Space").json()
    assert [run["id"] for run in answer["runs"]] == [space]
    assert answer["current"]["state"] == "queued"
    assert answer["current"]["queue_position"] == 1
    assert answer["progress"] is None


def test_progress_without_runs_is_empty(client: Client) -> None:
    assert client.get("/get_detection_progress").json() == {"progress": None, "current": None, "runs": []}


def test_progress_of_an_unknown_module_is_refused(client: Client) -> None:
    response = client.get("/get_detection_progress?detect_method=Magic")
    assert response.status_code == 400
    assert "space" in response.json()["error"]


@pytest.mark.parametrize("address", ["/acc/", "/analysis/", "/keyframe/", "/keyframe_batch/"])
def test_pages_that_were_posted_to_still_may_be(client: Client, address: str) -> None:
    assert client.post(address, follow=True).status_code == 200
