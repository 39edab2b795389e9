from __future__ import annotations

import errno
import json
from pathlib import Path

import pytest
from django.test import Client

from detection import jobs
from detection.jobs.reporting import Step
from detection.records import codec, lifecycle, store, times
from detection.records.schema import Reason, RunState
from detection.records.uploads import Upload
from tests.web import samples


def post(client: Client, address: str, data: object = None):
    return client.post(address, json.dumps(data or {}), content_type="application/json")


def test_the_index_names_modules_limits_and_the_token(client: Client) -> None:
    answer = client.get("/api/v1/").json()
    assert answer["modules"]["space"] == {"name": "Space", "available": True}
    assert answer["limits"]["upload_mb"] > 0
    assert len(answer["csrf_token"]) > 30


def test_start_queues_and_tells_how_to_follow(client: Client, upload: Upload) -> None:
    response = post(client, "/api/v1/runs", {"uploads": [upload.sha256], "modules": ["space"]})
    assert response.status_code == 202
    (run,) = response.json()["runs"]
    assert (run["state"], run["queue_position"], run["percent"]) == ("queued", 1, None)
    assert client.get(f"/api/v1/runs/{run['id']}/progress").json()["words"] == "Waiting · next in the queue"


@pytest.mark.parametrize(
    ("data", "status"),
    [
        ("text", 400),
        ({"uploads": [], "modules": ["space"]}, 400),
        ({"uploads": "x", "modules": ["space"]}, 400),
        ({"uploads": ["x"], "modules": ["space"]}, 404),
        ({"uploads": ["0" * 64], "modules": ["space"]}, 404),
    ],
)
def test_start_explains_what_is_wrong(client: Client, data: object, status: int) -> None:
    response = post(client, "/api/v1/runs", data)
    assert response.status_code == status
    assert response.json()["error"]
    assert jobs.active() == []


def test_start_knows_its_modules(client: Client, upload: Upload) -> None:
    response = post(client, "/api/v1/runs", {"uploads": [upload.sha256], "modules": ["magic"]})
    assert response.status_code == 400
    assert "magic" in response.json()["error"]


def test_a_body_that_is_not_json_is_refused(client: Client) -> None:
    response = client.post("/api/v1/runs", "{", content_type="application/json")
    assert response.status_code == 400


def test_progress_of_a_running_run(client: Client, upload: Upload, media: Path) -> None:
    (run_id,) = jobs.start([upload.sha256], ["space"])
    store.update_run(media, run_id, lambda run: store.replace(run, state=RunState.RUNNING))
    step = Step("space", 120, 300, 40.0, 8.1, times.now())
    (store.run_dir(media, run_id) / lifecycle.PROGRESS).write_bytes(codec.to_json(step))
    answer = client.get(f"/api/v1/runs/{run_id}/progress").json()
    assert (answer["stage"], answer["frames_done"], answer["frames_total"]) == ("space", 120, 300)
    assert (answer["percent"], answer["seconds_left"]) == (40.0, 8.1)
    assert answer["words"] == "Examining single frames · 120 of 300 frames · 40\u00a0% · about 8 s left"


def test_progress_of_many_leaves_out_what_was_deleted(client: Client, upload: Upload) -> None:
    runs = jobs.start([upload.sha256, upload.sha256], ["space"])
    answer = client.get(f"/api/v1/progress?run={runs[1]}&run=20260101-000000000-000000").json()
    assert [run["id"] for run in answer["runs"]] == [runs[1]]
    assert len(client.get("/api/v1/progress").json()["runs"]) == 2


def test_a_run_is_its_record(client: Client, media: Path, upload: Upload) -> None:
    run = samples.finished_run(media, upload)
    answer = client.get(f"/api/v1/runs/{run.id}").json()
    assert answer["analysis"]["verdict"] == "fake"
    assert answer["analysis"]["score"] == 0.93
    assert client.get("/api/v1/runs/nonsense").status_code == 404


def test_cancel_and_retry(client: Client, upload: Upload) -> None:
    (run_id,) = jobs.start([upload.sha256], ["space"])
    assert post(client, f"/api/v1/runs/{run_id}/cancel").json()["state"] == "cancelled"
    assert post(client, f"/api/v1/runs/{run_id}/retry").json()["state"] == "queued"
    assert post(client, f"/api/v1/runs/{run_id}/retry").status_code == 409


def test_retry_failed(client: Client, media: Path, upload: Upload) -> None:
    run = samples.failed_run(media, upload)
    assert [each["id"] for each in post(client, "/api/v1/runs/retry-failed").json()["runs"]] == [run.id]


def test_delete(client: Client, media: Path, upload: Upload) -> None:
    run = samples.finished_run(media, upload)
    assert client.delete(f"/api/v1/runs/{run.id}").status_code == 204
    assert client.delete(f"/api/v1/runs/{run.id}").status_code == 404
    (active,) = jobs.start([upload.sha256], ["space"])
    assert client.delete(f"/api/v1/runs/{active}").status_code == 409
    assert client.delete(f"/api/v1/uploads/{upload.sha256}").status_code == 409


def test_history_filters_and_names_the_reason(client: Client, media: Path, upload: Upload) -> None:
    samples.finished_run(media, upload)
    run = samples.finished_run(media, upload, reason=Reason.NO_FACE)
    answer = client.get("/api/v1/history?verdict=no_result").json()
    assert answer["total"] == 1
    assert answer["runs"][0]["id"] == run.id
    assert (answer["runs"][0]["reason"], answer["runs"][0]["score"]) == ("no_face", None)
    assert client.get("/api/v1/history?verdict=x").status_code == 400


def test_an_address_that_is_not_there_answers_in_json(client: Client) -> None:
    response = client.get("/api/v1/nonsense")
    assert response.status_code == 404
    assert response.json()["error"]


def test_a_method_that_an_address_does_not_know_is_told(client: Client) -> None:
    response = client.put("/api/v1/runs")
    assert response.status_code == 405
    assert "POST" in response.json()["error"]


def test_a_full_disk_is_told_with_its_status(client: Client, upload: Upload, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("detection.web.api_operations.jobs.start", full)
    response = post(client, "/api/v1/runs", {"uploads": [upload.sha256], "modules": ["space"]})
    assert response.status_code == 507
    assert "disk is full" in response.json()["error"]
