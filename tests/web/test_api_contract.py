"""What the interface says of itself is so: every operation is called, and every answer fits its description."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from django import forms
from django.conf import settings
from django.test import Client
from django.utils import translation

from detection import jobs
from detection.jobs import followups as work
from detection.records import followups, upload_trash, uploads
from detection.records.schema import Reason, RunState
from detection.records.uploads import Upload
from detection.web.api_page import _operations, document
from detection.web.api_schema import HistoryQuery, LightRequest
from detection.web.history_filter import FilterForm
from detection.web.relight_form import LightForm
from relitalk.light import PRESETS
from relitalk.request import Request
from tests.web import samples

with translation.override("en"):
    DOCUMENT = document()
CALLS = [(method, path) for path, methods in DOCUMENT["paths"].items() for method in methods]


def check(answer: Any, operation: dict[str, Any], status: int) -> None:
    """Raises ValidationError when `answer` is not what the operation says that it answers with `status`."""
    schema = operation["responses"][str(status)]["content"]["application/json"]["schema"]
    jsonschema.Draft202012Validator({**schema, "components": DOCUMENT["components"]}).validate(answer)


def good_statuses(operation: dict[str, Any]) -> list[int]:
    return [int(status) for status in operation["responses"] if int(status) < 400]


@pytest.fixture
def upload(media: Path, clip: Path) -> Upload:
    """Not inspected: the operation that uploads does that, once."""
    with clip.open("rb") as file:
        return uploads.add_stream(media, clip.name, uploads.read_chunks(file))


@pytest.fixture
def ids(client: Client, media: Path, upload: Upload) -> dict[str, str]:
    """A run for every state that an operation asks for."""
    queued, *_ = jobs.start([upload.sha256] * 2, ["space"])
    failed, done = samples.failed_run(media, upload), samples.finished_run(media, upload, modules=("space", "feature"))
    samples.finished_run(media, upload, reason=Reason.NO_FACE)
    deleted = samples.failed_run(media, upload)
    jobs.delete(deleted.id)
    return {
        "cancel": queued,
        "retry": failed.id,
        "done": done.id,
        "restore": deleted.id,
        "batch": jobs.batch_of(queued),
    }


@pytest.fixture
def works(media: Path, ids: dict[str, str]) -> dict[str, str]:
    """The same of what can be asked of a finished run."""
    waits, failed, done = (
        work.ask_to_relight(ids["done"], Request(PRESETS[name])) for name in ("left", "right", "top")
    )
    followups.finish(media, ids["done"], failed.id, RunState.FAILED, error="no", fault="no_face")
    followups.finish(media, ids["done"], done.id, RunState.DONE, result={})
    return {"cancel": waits.id, "retry": failed.id, "done": done.id}


BODIES = {
    "/api/v1/runs": lambda upload: {"uploads": [upload.sha256], "modules": ["space"]},
    "/api/v1/runs/{run_id}/relight": lambda _: {"preset": "rembrandt", "azimuth": 12.5, "colour": [1.0, 0.8, 0.6]},
}


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_every_operation_answers_as_described(
    client: Client, upload: Upload, clip: Path, ids: dict[str, str], works: dict[str, str], method: str, path: str
) -> None:
    operation = DOCUMENT["paths"][path][method]
    if method == "delete":  # what something is being done with is not deleted
        for active in jobs.active():
            jobs.cancel(active.id)
        work.cancel(ids["done"], works["cancel"])
    if path.endswith("{sha256}/restore"):
        upload_trash.delete_upload(settings.MEDIA_ROOT, upload.sha256)
    word = path.rpartition("/")[2]
    followup_id = works.get(word, works["done"])
    run_id = ids["done"] if "{followup_id}" in path else ids.get(word, ids["done"])
    address = path.format(sha256=upload.sha256, run_id=run_id, followup_id=followup_id, batch_id=ids["batch"])
    kinds = list(operation.get("requestBody", {}).get("content", {}))
    if kinds == ["application/octet-stream"]:
        response = client.post(f"{address}?name=clip.mp4", clip.read_bytes(), content_type=kinds[0])
    else:
        body = json.dumps(BODIES[path](upload)) if kinds else ""
        response = client.generic(method.upper(), address, body, content_type=kinds[0] if kinds else "")
    status = response.status_code
    assert status in good_statuses(operation), response.content
    if status == 204:
        assert response.content == b""
    elif (kind := response["Content-Type"].partition(";")[0]) != "application/json":
        assert list(operation["responses"][str(status)]["content"]) == [kind]
    else:
        check(response.json(), operation, status)


@pytest.mark.parametrize(("method", "path"), [call for call in CALLS if "{" in call[1]])
def test_what_is_not_there_is_answered_as_described(client: Client, method: str, path: str) -> None:
    address = path.format(sha256="0" * 64, run_id="20260101-000000000-000000", followup_id="0" * 24, batch_id="b0")
    response = client.generic(method.upper(), address, content_type="")
    assert response.status_code == 404
    check(response.json(), DOCUMENT["paths"][path][method], 404)


def test_the_document_is_served_and_holds_together(client: Client) -> None:
    served = client.get("/api/v1/openapi.json").json()
    assert served["openapi"].startswith("3.1")
    assert served == DOCUMENT
    for name, schema in served["components"]["schemas"].items():
        jsonschema.Draft202012Validator.check_schema(schema)
        for reference in re.findall(r"#/components/schemas/(\w+)", json.dumps(schema)):
            assert reference in served["components"]["schemas"], name
    names = [operation["operationId"] for methods in served["paths"].values() for operation in methods.values()]
    assert len(set(names)) == len(names)


def test_the_page_names_every_operation_and_shape(client: Client) -> None:
    page = client.get("/api/").content.decode()
    for operation in _operations(DOCUMENT):
        assert f"{operation.method} {operation.path}" in page
        assert operation.does in page.replace("&#x27;", "'")
    assert "RunRecord" in page
    assert "too_few_frames" in page


def test_the_filters_of_the_history_are_those_of_its_page() -> None:
    assert set(HistoryQuery.model_fields) == set(FilterForm().fields)


def test_the_limits_of_a_light_are_those_of_its_form() -> None:
    fields = LightForm().fields
    assert set(LightRequest.model_fields) == set(fields)
    described = LightRequest.model_json_schema()["properties"]
    for name, field in fields.items():
        if isinstance(field, forms.FloatField):
            number = described[name]["anyOf"][0]
            assert (number["minimum"], number["maximum"]) == (field.min_value, field.max_value)


def test_the_description_is_in_chinese_too(client: Client) -> None:
    """All but the docstrings of the record, which are shown to programs only."""
    client.cookies["django_language"] = "zh-hans"
    served = client.get("/api/v1/openapi.json").json()
    summaries = [operation["summary"] for methods in served["paths"].values() for operation in methods.values()]
    fields = [
        field["description"]
        for schema in served["components"]["schemas"].values()
        for field in schema.get("properties", {}).values()
        if "description" in field
    ]
    assert [text for text in summaries + fields if not re.search("[一-鿿]", text)] == []
