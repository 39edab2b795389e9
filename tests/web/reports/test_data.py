from __future__ import annotations

import csv
import hashlib
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from detection.records import codec, store
from detection.records.schema import Reason
from detection.records.uploads import Upload
from detection.web.downloads import as_data, csv_lines, stem_of
from detection.web.reports.data import SCORE_COLUMNS, score_rows
from tests.web import samples


def table(client: Client, name: str, run_id: str) -> list[dict[str, str]]:
    response = client.get(reverse(name, args=[run_id]))
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    text = b"".join(response.streaming_content).decode()
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text[1:])))


def test_json_holds_the_record_and_the_hash_of_every_picture(client: Client, media: Path, upload: Upload) -> None:
    run = samples.finished_run(media, upload, modules=("space", "feature"))
    report = json.loads(client.get(reverse("report-json", args=[run.id])).content)
    assert codec.record_from_json(json.dumps(report["record"]).encode()) == run
    assert report["thresholds"]["all"] == {"real_below": 0.35, "fake_from": 0.65}
    assert report["verdict"]["headline"] == "A face in this video was probably forged."
    assert len(report["limits"]) == 8
    paths = {e.path for outcome in run.analysis.modules.values() for e in outcome.evidence}
    assert {each["path"] for each in report["pictures"]} == paths
    picture = report["pictures"][0]
    data = (store.run_dir(media, run.id) / picture["path"]).read_bytes()
    assert picture["sha256"] == hashlib.sha256(data).hexdigest()


def test_json_says_which_picture_is_gone(client: Client, media: Path, upload: Upload) -> None:
    run = samples.finished_run(media, upload)
    gone = run.analysis.modules["space"].evidence[0].path
    (store.run_dir(media, run.id) / gone).unlink()
    report = json.loads(client.get(reverse("report-json", args=[run.id])).content)
    assert {each["path"] for each in report["pictures"] if each["sha256"] is None} == {gone}


def test_a_row_for_every_person_and_module(client: Client, media: Path, upload: Upload) -> None:
    run = samples.finished_run(media, upload, scores=(0.93, 0.2), modules=("space", "feature"))
    rows = table(client, "scores-csv", run.id)
    assert [(row["person"], row["module"]) for row in rows] == [
        (person, module) for person in "12" for module in ("all", "space", "feature")
    ]
    first = rows[0]
    assert (first["score"], first["verdict"], first["decides"], first["sha256"]) == ("0.93", "fake", "True", run.sha256)
    assert (first["real_below"], first["fake_from"], first["first_seen_s"], first["last_seen_s"]) == (
        *("0.35", "0.65"),
        *("0.0", "10.0"),
    )


def test_one_person_alone_decides(media: Path, upload: Upload) -> None:
    """Of two with the same score the one who was seen often enough, as on the page."""
    run = samples.finished_run(media, upload, scores=(0.93, 0.93))
    passer_by, other = run.analysis.people
    analysis = replace(run.analysis, people=(replace(passer_by, frames=3), other))
    rows = [dict(zip(SCORE_COLUMNS, row, strict=True)) for row in score_rows(run, analysis)]
    assert {row["person"]: row["decides"] for row in rows if row["module"] == "all"} == {1: False, 2: True}


def test_a_video_without_faces_has_one_row_with_the_reason(client: Client, media: Path, upload: Upload) -> None:
    run = samples.finished_run(media, upload, reason=Reason.NO_FACE)
    (row,) = table(client, "scores-csv", run.id)
    assert (row["person"], row["score"], row["verdict"], row["reason"]) == ("", "", "no_result", "no_face")


def test_every_score_of_a_frame(client: Client, media: Path, upload: Upload) -> None:
    run = samples.finished_run(media, upload, scores=(0.93,))
    rows = table(client, "frames-csv", run.id)
    timeline = run.analysis.modules["space"].timeline
    assert [(int(row["frame"]), float(row["score"])) for row in rows] == [(p.frame_index, p.score) for p in timeline]


def test_a_name_that_looks_like_a_formula_stays_text(client: Client, media: Path, upload: Upload) -> None:
    run = samples.finished_run(media, upload)
    store.update_run(media, run.id, lambda old: replace(old, video_name='=HYPERLINK("http://x","y").mp4'))
    assert table(client, "scores-csv", run.id)[0]["video"] == '\'=HYPERLINK("http://x","y").mp4'


def test_programs_get_the_same_tables_and_are_told_why_there_are_none(
    client: Client, media: Path, upload: Upload
) -> None:
    run, failed = samples.finished_run(media, upload), samples.failed_run(media, upload)
    for name in ("scores", "frames"):
        page, interface = client.get(f"/runs/{run.id}/{name}.csv"), client.get(f"/api/v1/runs/{run.id}/{name}.csv")
        assert b"".join(page.streaming_content) == b"".join(interface.streaming_content)
    refused = client.get(f"/api/v1/runs/{failed.id}/report.pdf")
    assert refused.status_code == 409
    assert "no result" in refused.json()["error"]


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r", "＝"])
def test_no_text_begins_a_formula(begin: str) -> None:
    assert as_data(begin + "cmd|' /C calc'!A0").startswith("'")
    assert as_data(-0.5) == -0.5  # a number is none


def test_a_table_survives_quotes_and_line_breaks() -> None:
    row = ['a "quoted", name', "two\nlines", "三"]
    lines = "".join(csv_lines(["a", "b", "c"], [row])).removeprefix("\ufeff")
    assert list(csv.reader(io.StringIO(lines, newline="")))[1] == row


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("clip.mp4", "clip"),
        ("视频.mov", "视频"),
        ("..", "video"),
        ("a\r\nX: y\u202e.mp4", "a_X_ y_"),
        ("../../etc/passwd", "passwd"),
        ("x" * 300 + ".mp4", "x" * 80),
    ],
)
def test_names_of_downloads(name: str, stem: str) -> None:
    assert stem_of(name) == stem
