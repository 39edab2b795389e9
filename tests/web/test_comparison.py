from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from detection.records import store, upload_trash
from detection.records.schema import Reason, RunRecord
from detection.records.uploads import Upload
from detection.web import comparison
from detection.web.comparison import Side
from tests.web import samples


def page(client: Client, *runs: RunRecord, **more: str) -> str:
    asked = dict(zip("ab", (run.id for run in runs), strict=False)) | more
    response = client.get(reverse("compare"), asked)
    assert response.status_code == 200
    return response.content.decode()


@pytest.fixture
def other(media: Path, tmp_path: Path) -> Upload:
    return samples.add_upload(media, samples.face_clip(tmp_path / "other.mp4", seconds=1, size=(320, 180)))


def test_both_are_chosen_step_by_step(client: Client, media: Path, upload: Upload, other: Upload) -> None:
    first, again = (samples.finished_run(media, upload) for _ in range(2))
    elsewhere = samples.finished_run(media, other)
    address = reverse("compare")
    start = page(client)
    for run in (first, again, elsewhere):
        assert f'href="{address}?a={run.id}"' in start
    same, others = page(client, first).split('id="others-heading"')
    assert f"?a={first.id}&amp;b={again.id}" in same  # another result of the same file is offered first
    assert f"?a={first.id}&amp;b={elsewhere.id}" in others
    assert f"b={first.id}" not in same + others
    assert f"b={elsewhere.id}" not in page(client, first, q="nothing of that name")


def test_verdicts_scores_and_their_difference(client: Client, media: Path, upload: Upload, other: Upload) -> None:
    a = samples.finished_run(media, upload, scores=(0.93,), modules=("space", "feature"))
    b = samples.finished_run(media, other, scores=(0.2,))
    text = " ".join(re.sub(r"<[^>]+>", " ", page(client, a, b)).split())
    assert "They are results of two different files." in text
    assert "All modules together Probably forged 93 % No forgery found 20 % −73 points" in text
    assert "Feature Probably forged 93 % took no part –" in text
    assert "the same number does not mean the same person" in text


def test_what_differs_is_told_from_what_is_the_same(media: Path, upload: Upload, other: Upload) -> None:
    a, b = samples.finished_run(media, upload), samples.finished_run(media, other)
    newer = replace(b.analysis, versions={"program": "0.2.0", "onnxruntime": "1.31.1", "av": "18"})
    groups = comparison.fact_groups(Side("a", a, a.analysis, True), Side("b", b, newer, True))
    by_title = {group.title: group for group in groups}
    different = {row.name: (row.a, row.b) for row in by_title["File"].different}
    assert different["Picture"] == ("480 × 270", "320 × 180")
    assert "Codec" in {row.name for row in by_title["File"].same}
    versions = by_title["Versions of the program, its libraries and its networks"]
    assert {row.name: (row.a, row.b) for row in versions.different} == {
        "program": ("0.1.0", "0.2.0"),
        "av": ("–", "18"),
    }
    assert by_title["Thresholds"].different == []


def test_other_networks_are_named(client: Client, media: Path, upload: Upload) -> None:
    a, b = (samples.finished_run(media, upload) for _ in range(2))
    said = "networks or calibration differ"
    assert said not in page(client, a, b)
    space = replace(b.analysis.modules["space"], versions={"weights": "sha256:ffff"})
    store.update_run(media, b.id, lambda old: replace(old, analysis=replace(b.analysis, modules={"space": space})))
    assert said in page(client, a, b)


def test_timelines_share_one_scale(client: Client, media: Path, upload: Upload) -> None:
    a = samples.finished_run(media, upload, duration_s=4.0)
    b = samples.finished_run(media, upload, duration_s=12.5)
    html = page(client, a, b)
    data = json.loads(html.split('<script id="comparison-data" type="application/json">')[1].split("</script>")[0])
    assert data["duration"] == 12.5
    assert data["a"]["modules"].keys() == data["b"]["modules"].keys() == {"space"}
    assert html.count('class="timeline"') == 2


def test_points_are_those_of_the_scores_that_are_shown() -> None:
    assert comparison.points(0.284, 0.296) == 2  # 28 % and 30 %
    assert comparison.points(None, 0.5) is None


def test_results_without_a_score_or_a_file_compare_too(client: Client, media: Path, upload: Upload) -> None:
    a, b = samples.finished_run(media, upload), samples.finished_run(media, upload, reason=Reason.NO_FACE)
    upload_trash.delete_upload(media, upload.sha256)
    html = page(client, a, b)
    assert "No face was found." in html
    assert html.count("The video was removed from this machine") == 2
    assert "<video" not in html


@pytest.mark.parametrize("run_id", ["nonsense", "20260101-000000000-000000"])
def test_a_missing_run_is_not_found(client: Client, run_id: str) -> None:
    assert client.get(reverse("compare"), {"a": run_id}).status_code == 404


def test_a_failed_run_cannot_be_compared(client: Client, media: Path, upload: Upload) -> None:
    assert client.get(reverse("compare"), {"a": samples.failed_run(media, upload).id}).status_code == 404
