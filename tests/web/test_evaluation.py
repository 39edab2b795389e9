"""`/acc/`: two lists of clips in, figures out."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from detection.evaluation.metrics import METRICS
from detection.evaluation.summary import Evaluation
from detection.jobs import evaluations as work
from detection.jobs.queue import FileQueue
from detection.records import codec, evaluations, labelled, uploads
from detection.records.evaluations import EvaluatedClip, EvaluationRecord, Headline
from detection.records.schema import RunState
from detection.records.uploads import Upload
from detection.web import evaluation_words
from detection.web.access import passphrase
from tests.evaluation.test_report import evaluation
from tests.web import samples


def post(client: Client, address: str, body: object) -> tuple[int, dict[str, Any]]:
    answer = client.post(address, data=json.dumps(body), content_type="application/json")
    return answer.status_code, answer.json() if answer["Content-Type"] == "application/json" else {}


@pytest.fixture
def fake(media: Path, tmp_path: Path) -> Upload:
    return samples.add_upload(media, samples.face_clip(tmp_path / "other.mp4", seconds=1.5), "forged & clip.mp4")


def finished(media: Path, found: Evaluation) -> EvaluationRecord:
    """An evaluation as the worker leaves it."""
    clips = tuple(EvaluatedClip(row.clip.name, row.clip.name, row.clip.label) for row in found.rows)
    record = evaluations.create(media, "Mine & <yours>", ("space",), clips)
    (evaluations.folder(media, record.id) / evaluations.RESULT).write_bytes(codec.to_json(found))
    return evaluations.finish(media, record.id, RunState.DONE, headline=Headline("fused", 0.87, 0.5, 1.0))


def text_of(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return b"".join(answer).decode()


def test_files_come_by_form_where_there_is_no_script(client: Client, clip: Path, media: Path) -> None:
    with clip.open("rb") as file:
        client.post("/acc/", {"label": "fake", "files": [file]})
    (put,) = labelled.labelled(media)
    assert (put.said.label, put.upload.name, put.upload.video is not None) == ("fake", "clip.mp4", True)


def test_the_script_enters_and_describes_a_clip_and_the_other_list_takes_it_over(
    client: Client, media: Path, upload: Upload
) -> None:
    status, answer = post(client, "/acc/clips/", {"sha256": upload.sha256, "label": "fake", "method": " face \n swap "})
    assert status == 200
    assert "face swap" in text_of(client, answer["row"])
    post(client, answer["row"], {"pair": "one"})
    assert labelled.labelled(media)[0].said == labelled.Labelled(upload.sha256, "fake", "face swap", "one")
    post(client, "/acc/clips/", {"sha256": upload.sha256, "label": "real"})
    assert labelled.labelled(media)[0].said == labelled.Labelled(upload.sha256, "real")
    assert post(client, "/acc/clips/", {"sha256": "0" * 64, "label": "real"})[0] == 404
    assert client.get(f"/acc/clips/{'0' * 64}/").status_code == 404


def test_a_labelled_clip_is_listed_in_one_place_and_comes_back_when_it_is_taken_out(
    client: Client, media: Path, upload: Upload
) -> None:
    labelled.put(media, upload.sha256, "real")
    assert upload.sha256 not in text_of(client, "/Space_Upload_1/")
    client.post(reverse("labelled-remove", args=[upload.sha256]))
    assert upload.sha256 in text_of(client, "/Space_Upload_1/")
    assert upload.sha256 not in text_of(client, "/acc/")


def test_starting_takes_the_words_of_the_form_and_queues(
    client: Client, media: Path, upload: Upload, fake: Upload
) -> None:
    labelled.put(media, upload.sha256, "real")
    assert client.post("/acc/start/", {})["Location"] == "/acc/"
    assert work.every() == []
    labelled.put(media, fake.sha256, "fake")
    words = {f"method-{fake.sha256}": "swap", f"pair-{fake.sha256}": "p", f"pair-{upload.sha256}": "p"}
    answer = client.post("/acc/start/", {"name": " Mine ", "modules": ["blend", "nose"], **words})
    (progress,) = work.every()
    record = progress.record
    assert answer["Location"] == f"/acc/{record.id}/"
    assert (record.name, record.modules) == ("Mine", ("blend",))
    assert [(c.name, c.label, c.method, c.pair) for c in record.clips] == [
        ("clip.mp4", "real", None, "p"), ("forged & clip.mp4", "fake", "swap", "p"),
    ]  # fmt: skip
    assert [job.args for job in FileQueue(media).pending()] == [[record.id]]
    page = text_of(client, f"/acc/{record.id}/")
    assert "Waiting · 0 of 2 clips · 0\u00a0%" in page
    assert client.get(f"/acc/{record.id}/progress/").json() == {
        "is_final": False, "words": "Waiting · 0 of 2 clips · 0\u00a0%", "percent": 0.0,
    }  # fmt: skip
    client.post(f"/acc/{record.id}/cancel/")
    assert "Try again" in text_of(client, f"/acc/{record.id}/")
    client.post(f"/acc/{record.id}/retry/")
    assert work.progress(record.id).record.state is RunState.QUEUED


def test_a_folder_is_evaluated_where_this_machine_asks_for_it(
    client: Client, tmp_path: Path, clip: Path, settings: Any
) -> None:
    for label in ("real", "fake"):
        (tmp_path / "mine" / label).mkdir(parents=True)
        (tmp_path / "mine" / label / "a.mp4").write_bytes(clip.read_bytes())
    assert "There is no folder" in client.post("/acc/folder/", {"folder": "/nowhere"}, follow=True).content.decode()
    assert "whole path" in client.post("/acc/folder/", {"folder": "mine"}, follow=True).content.decode()
    client.post("/acc/folder/", {"folder": str(tmp_path / "mine")})
    (progress,) = work.every()
    assert (progress.record.name, len(progress.record.clips)) == ("mine", 2)


def test_who_signs_in_may_name_no_folder(client: Client, settings: Any, tmp_path: Path) -> None:
    settings.DEEPFAKE_PASSPHRASE_HASH = passphrase.hash_of("a long passphrase")
    client.post("/sign-in/", {"passphrase": "a long passphrase"})
    assert "/acc/folder/" not in text_of(client, "/acc/")
    assert client.post("/acc/folder/", {"folder": str(tmp_path)}).status_code == 404


@pytest.mark.parametrize(("language", "words"), [("en", "Fakes caught"), ("zh-hans", "检出的伪造")])
def test_the_result_shows_every_figure_plot_and_clip(client: Client, media: Path, language: str, words: str) -> None:
    record = finished(media, evaluation())
    client.cookies["django_language"] = language
    page = text_of(client, f"/acc/{record.id}/")
    assert words in page
    assert "Mine &amp; &lt;yours&gt;" in page
    assert "<script>alert" not in page
    assert "swap &lt;script&gt;" in page
    assert page.count('role="img"') == 1 + 3 * 2  # ROC, and three plots per judge
    table = page[page.index("figures-table") : page.index("</table>")]
    assert len(re.findall("<tr role", table)) == 1 + 4 + len(METRICS)
    assert ".87" in text_of(client, "/acc/")


def test_few_clips_are_warned_of(client: Client, media: Path) -> None:
    page = text_of(client, f"/acc/{finished(media, evaluation()).id}/")
    assert "Only 12 fakes have a result: even if all are caught, up to 26 % of such fakes could be missed." in page


def test_every_metric_has_its_words() -> None:
    assert evaluation_words.METRICS.keys() == METRICS.keys()


def test_the_result_can_be_taken_away(client: Client, media: Path) -> None:
    found = evaluation()
    record = finished(media, found)
    read = json.loads(text_of(client, f"/acc/{record.id}/evaluation.json"))
    assert read["judges"][1]["figures"]["auc"]["value"] == found.judges[1].figures["auc"].value
    table = list(csv.reader(io.StringIO(text_of(client, f"/acc/{record.id}/evaluation.csv").lstrip("\ufeff"))))
    assert table[0][:6] == ["file", "label", "method", "pair", "sha256", "space_score"]
    assert len(table) == 1 + 25
    assert table[-1][5:8] == ["", "no_result", "no_face"]
    assert "<h2>ROC</h2>" in text_of(client, f"/acc/{record.id}/evaluation.html")


def test_an_evaluation_is_deleted_and_its_clips_stay(client: Client, media: Path, upload: Upload) -> None:
    labelled.put(media, upload.sha256, "real")
    record = finished(media, evaluation())
    assert "The clips stay." in text_of(client, f"/acc/{record.id}/delete/")
    client.post(f"/acc/{record.id}/delete/")
    assert client.get(f"/acc/{record.id}/").status_code == 404
    assert len(labelled.labelled(media)) == 1
    client.post("/acc/clips/clear/")
    assert labelled.labelled(media) == []
    assert len(uploads.list_uploads(media)) == 1
