from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from django.test import Client
from django.utils import translation

from detection.jobs import followups as work
from detection.records import followups, store
from detection.records.schema import Reason, RunRecord, RunState
from detection.records.uploads import Upload
from detection.web.relight_form import as_fields, hex_colour, linear_colour
from detection.web.relight_words import direction_words
from relitalk.light import PRESETS
from relitalk.request import Request
from tests.clips import write_astronaut, write_noise
from tests.web import samples


@pytest.fixture
def run(media: Path, upload: Upload) -> RunRecord:
    return samples.finished_run(media, upload, duration_s=2.0)


LEFT = Request(PRESETS["left"])


def post(client: Client, address: str, body: object = None) -> tuple[int, dict]:
    answer = client.post(address, data=json.dumps(body or {}), content_type="application/json")
    return answer.status_code, answer.json()


def made(media: Path, run: RunRecord, **result: object) -> followups.FollowUp:
    """A clip as the worker leaves it, with what `result` says in its manifest."""
    asked = work.ask_to_relight(run.id, LEFT)
    folder = work.relit_folder(run.id, asked.id)
    (folder / "frames").mkdir(parents=True)
    (folder / "relit.mp4").write_bytes((media / run.upload).read_bytes())
    for name in ("000000.png", "000001.png"):
        (folder / "frames" / name).write_bytes(b"pixels")
    manifest = {"engine": "relitalk-embedded", "version": "1.0", "video_sha256": run.sha256, "result_sha256": "ab"}
    return followups.finish(media, run.id, asked.id, RunState.DONE, result=manifest | result)


def test_the_result_leads_to_relighting_for_every_module(client: Client, media: Path, upload: Upload) -> None:
    for module in ("space", "blend"):
        run = samples.finished_run(media, upload, modules=(module,))
        assert f'href="/runs/{run.id}/relight/"' in client.get(f"/runs/{run.id}/").content.decode()
        name = module.capitalize()
        for address in (f"/{name}_Update", f"/{name}_batch_Update"):
            assert f"/runs/{run.id}/relight/" in client.post(address, {"rowData[]": [run.id]}).content.decode()


def test_the_page_says_that_what_it_makes_is_no_evidence(client: Client, run: RunRecord) -> None:
    assert "Generated, not evidence." in client.get(f"/runs/{run.id}/relight/").content.decode()
    with translation.override("zh-hans"):
        client.cookies["django_language"] = "zh-hans"
        assert "生成内容，不是证据。" in client.get(f"/runs/{run.id}/relight/").content.decode()


def test_an_unfinished_run_is_not_relit(client: Client, media: Path, upload: Upload) -> None:
    queued = store.create_run(media, upload, ["space"])
    assert client.get(f"/runs/{queued.id}/relight/").status_code == 404
    assert post(client, f"/api/v1/runs/{queued.id}/relight", {"preset": "left"})[0] == 409


def test_a_still_follows_the_light(client: Client, run: RunRecord) -> None:
    address = f"/runs/{run.id}/relight/still.jpg?time=1&azimuth="
    left, right = client.get(address + "-60"), client.get(address + "60")
    assert left["Content-Type"] == "image/jpeg"
    assert left.content != right.content
    (found,) = json.loads(left["X-Source-Lights"])
    assert {"azimuth_deg", "elevation_deg"} == set(found)
    assert client.get(address + "999").status_code == 400


def test_the_light_of_every_face_is_told_from_left_to_right(client: Client, media: Path, tmp_path: Path) -> None:
    face = skimage.data.astronaut()[:, 96:352]
    for name, pair in {"one": (face, face[:, ::-1]), "other": (face[:, ::-1], face)}.items():
        clip = write_astronaut(tmp_path / f"{name}.mp4", frames=30, picture=np.hstack(pair))
        run = samples.finished_run(media, samples.add_upload(media, clip), scores=(0.2, 0.1))
        still = client.get(f"/runs/{run.id}/relight/still.jpg?time=0.5")
        first, second = (light["azimuth_deg"] for light in json.loads(still["X-Source-Lights"]))
        assert first == pytest.approx(-second, abs=8), "a face and its mirror image"
        told = first if name == "one" else -first
        assert told < -10, "she is lit from the left"


def test_a_still_without_a_face_says_so_in_the_readers_language(client: Client, media: Path, tmp_path: Path) -> None:
    nobody = samples.finished_run(media, samples.add_upload(media, write_noise(tmp_path / "noise.mp4")))
    answer = client.get(f"/runs/{nobody.id}/relight/still.jpg?time=0.2")
    assert (answer.status_code, answer.json()["reason"]) == (422, "no_face")
    assert "No face that could be relit was found." in answer.json()["error"]
    client.cookies["django_language"] = "zh-hans"
    assert "没有找到可以重新打光的人脸。" in client.get(f"/runs/{nobody.id}/relight/still.jpg?time=0.2").json()["error"]


def test_a_form_without_script_makes_the_video(client: Client, run: RunRecord) -> None:
    answer = client.post(f"/runs/{run.id}/relight/", {"azimuth": "30", "elevation": "10", "frames": "1"})
    assert answer.url == f"/runs/{run.id}/relight/#work"
    (asked,) = work.of_run(run.id)
    assert asked.followup.request["keep_frames"] is True
    assert asked.followup.request["request"]["light"]["azimuth_deg"] == 30.0
    wrong = client.post(f"/runs/{run.id}/relight/", {"azimuth": "300"})
    assert wrong.status_code == 400
    assert "less than or equal to 180" in wrong.content.decode()


def test_json_asks_once_for_the_same_light(client: Client, run: RunRecord) -> None:
    address = f"/api/v1/runs/{run.id}/relight"
    status, first = post(client, address, {"preset": "left"})
    assert (status, first["state"]) == (202, "queued")
    fields = as_fields(PRESETS["left"])
    assert post(client, address, fields)[1]["id"] == first["id"]
    assert [each["id"] for each in client.get(address).json()["work"]] == [first["id"]]
    assert post(client, f"{address}/{first['id']}/cancel")[1]["state"] == "cancelled"
    assert post(client, f"{address}/{first['id']}/retry")[0] == 202
    assert client.delete(f"{address}/{first['id']}").status_code == 409  # it waits


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"preset": "disco"}, "preset"),
        ({"azimut": 3}, "azimut"),
        ({"intensity": 0, "ambient": 0}, "shows nothing"),
        ({"colour": "red"}, "colour"),
        ([1], "object"),
    ],
)
def test_json_says_what_is_wrong(client: Client, run: RunRecord, body: object, said: str) -> None:
    status, answer = post(client, f"/api/v1/runs/{run.id}/relight", body)
    assert status == 400
    assert said in answer["error"]


def test_the_clips_page_shows_measures_and_what_it_was_made_of(client: Client, media: Path, run: RunRecord) -> None:
    measures = dict.fromkeys(("reconstruction_ssim", "flicker_source", "flicker_relit", "direction_error_deg"))
    report = {
        "measures": {**measures, "reconstruction_psnr_db": 31.64, "identity_similarity": 0.76},
        "source_lights": [{"person": 1, "from_s": 0.0, "azimuth_deg": -14.2, "elevation_deg": 12.0, "ambient": 0.11}],
        "frames": 24, "frames_relit": 22, "frames_without_face": 2, "seconds": 3.0, "frames_per_second": 8.0,
    }  # fmt: skip
    clip = made(media, run, report=report)
    page = client.get(f"/runs/{run.id}/relight/{clip.id}/").content.decode()
    for text in ("31.6 dB", "0.76", "azimuth -14°", "22 relit of 24", run.sha256, "generated, not evidence"):
        assert text in page
    assert client.get(f"/media/runs/{run.id}/relit/{clip.id}/relit.mp4")["Content-Type"] == "video/mp4"
    assert client.get(f"/runs/{run.id}/relight/{clip.id}/manifest.json").json()["report"]["frames"] == 24


def test_all_frames_come_as_one_archive(client: Client, media: Path, run: RunRecord) -> None:
    clip = made(media, run)
    answer = client.get(f"/runs/{run.id}/relight/{clip.id}/frames.zip")
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["000000.png", "000001.png"]


def test_a_deleted_clip_is_gone_with_its_files(client: Client, media: Path, run: RunRecord) -> None:
    clip = made(media, run)
    assert client.post(f"/runs/{run.id}/relight/{clip.id}/delete/").status_code == 302
    assert not work.relit_folder(run.id, clip.id).exists()
    assert client.get(f"/runs/{run.id}/relight/{clip.id}/").status_code == 404


@pytest.mark.parametrize("fault", ["server_unreachable", "no_face", "too_few_frames", "no_checkout"])
def test_a_failure_says_why_and_offers_another_try(client: Client, media: Path, run: RunRecord, fault: str) -> None:
    asked = work.ask_to_relight(run.id, LEFT)
    followups.finish(media, run.id, asked.id, RunState.FAILED, error="the details", fault=fault)
    english = client.get(f"/runs/{run.id}/relight/").content.decode()
    client.cookies["django_language"] = "zh-hans"
    chinese = client.get(f"/runs/{run.id}/relight/").content.decode()
    assert "the details" in english
    assert f"/relight/{asked.id}/retry/" in english
    said = {
        "server_unreachable": "没有应答",
        "no_face": "没有找到",
        "too_few_frames": "太少",
        "no_checkout": "无法使用",
    }
    assert said[fault] in chinese


def test_the_verdict_is_a_table_that_says_what_changed(client: Client, media: Path, run: RunRecord) -> None:
    assert client.post(f"/runs/{run.id}/relight/verdict/").status_code == 302
    (asked,) = work.of_run(run.id)
    rows = [
        {"light": light, "score": score, "verdict": verdict, "reason": None,
         "thresholds": {"real_below": 0.3, "fake_from": 0.7}, "versions": {}}
        for light, score, verdict in (("source", 0.1, "real"), ("left", 0.2, "real"), ("right", 0.8, "fake"))
    ]  # fmt: skip
    result = {"start_s": 0.0, "end_s": 1.0, "frames": 12, "rows": rows}
    followups.finish(media, run.id, asked.followup.id, RunState.DONE, result=result)
    page = client.get(f"/runs/{run.id}/relight/").content.decode()
    assert page.count("> holds") == 1
    assert page.count("> changes") == 1


def test_no_direction_is_below_nothing() -> None:
    assert direction_words(-0.3, -0.2) == "azimuth 0°, elevation 0°"


def test_without_people_there_is_no_verdict_to_change(client: Client, media: Path, upload: Upload) -> None:
    nobody = samples.finished_run(media, upload, reason=Reason.NO_FACE)
    page = client.get(f"/runs/{nobody.id}/relight/").content.decode()
    assert "Judge it under five lights" not in page


@pytest.mark.parametrize("text", ["#ffffff", "#ffb870", "#ff0000"])
def test_a_colour_survives_the_way_there_and_back(text: str) -> None:
    assert hex_colour(linear_colour(text)) == text
