from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from dataclasses import replace
from pathlib import Path

import av
import pytest
from django.test import Client

from detection import jobs
from detection.records import store
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


def test_it_says_what_the_pictures_are_and_leads_to_their_moments(client: Client, media: Path, upload: Upload) -> None:
    run = samples.finished_run(media, upload, scores=(0.9, 0.2))
    page = client.get(f"/keyframe/?run={run.id}").content.decode()
    assert "a map of a genuine face has bright spots too" in page
    assert page.index("Person 1</h3>") < page.index("Person 2</h3>")
    assert "highest score of Space" in page
    assert f'href="/runs/{run.id}/#t=0.000"' in page


def unpacked(client: Client, query: str) -> zipfile.ZipFile:
    response = client.get(f"/keyframe/archive.zip?{query}")
    assert response["Content-Type"] == "application/zip"
    return zipfile.ZipFile(io.BytesIO(b"".join(response.streaming_content)))


def test_the_archive_holds_every_picture_with_its_reason_and_hash(client: Client, media: Path, upload: Upload) -> None:
    run = samples.finished_run(media, upload, scores=(0.9, 0.2))
    archive = unpacked(client, f"run={run.id}")
    (told,) = json.loads(archive.read("manifest.json"))["runs"]
    assert (told["run"], told["sha256"]) == (run.id, upload.sha256)
    pictures = [picture for frame in told["key_frames"] for picture in frame["pictures"]]
    assert len(pictures) == len(run.analysis.modules["space"].evidence)
    for picture in pictures:
        assert hashlib.sha256(archive.read(picture["path"])).hexdigest() == picture["sha256"]
    assert sorted([*(picture["path"] for picture in pictures), "manifest.json"]) == sorted(archive.namelist())
    first = told["key_frames"][0]
    assert first["why"][0] == "first clear view"
    assert first["scores"]["space"]["verdict"] in ("fake", "uncertain", "real")


def test_the_archive_of_several_runs_keeps_them_apart(client: Client, media: Path, upload: Upload) -> None:
    runs = [samples.finished_run(media, upload).id for _ in range(2)]
    names = unpacked(client, f"run={runs[0]}&run={runs[1]}&run={runs[0]}").namelist()
    assert len(set(names)) == len(names)
    assert {name.split("/")[0] for name in names} == {*(f"clip-{run}" for run in runs), "manifest.json"}


def test_a_picture_that_is_gone_is_told_and_names_are_made_safe(client: Client, media: Path, upload: Upload) -> None:
    run = samples.finished_run(media, upload)
    gone = run.analysis.modules["space"].evidence[0]
    (store.run_dir(media, run.id) / gone.path).unlink()
    store.update_run(media, run.id, lambda old: replace(old, video_name='../../a"\r\nb.mp4'))
    archive = unpacked(client, f"run={run.id}")
    frames = json.loads(archive.read("manifest.json"))["runs"][0]["key_frames"]
    assert [p for frame in frames for p in frame["pictures"] if p["sha256"] is None] == [
        {"kind": gone.kind, "path": None, "sha256": None}
    ]
    assert not [name for name in archive.namelist() if name.startswith(("/", ".")) or ".." in name]


def test_without_key_frames_there_is_nothing_to_take_away(client: Client, media: Path, upload: Upload) -> None:
    run = samples.finished_run(media, upload, reason=Reason.NO_FACE)
    for address in ("/keyframe/archive.zip", f"/keyframe/archive.zip?run={run.id}", f"/runs/{run.id}/keyframes.mp4"):
        assert client.get(address).status_code == 404


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_video_shows_every_key_frame(client: Client, media: Path, upload: Upload, language: str) -> None:
    run = samples.finished_run(media, upload, scores=(0.9,))
    client.cookies["django_language"] = language
    response = client.get(f"/runs/{run.id}/keyframes.mp4?save")
    assert re.fullmatch(rf'attachment; filename="clip-{run.id}-keyframes.mp4"', response["Content-Disposition"])
    content = b"".join(response.streaming_content)
    moments = {evidence.frame_index for evidence in run.analysis.modules["space"].evidence}
    with av.open(io.BytesIO(content)) as video:
        stream = video.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert stream.codec_context.pix_fmt == "yuv420p"
        assert float(stream.duration * stream.time_base) == pytest.approx(2.5 * (1 + len(moments)))
        pictures = [frame.to_ndarray(format="gray") for frame in video.decode(video=0) if frame.key_frame]
    assert len(pictures) == 1 + len(moments)
    assert all(picture.std() > 20 for picture in pictures)  # something is on each


def test_the_video_is_made_once_and_sent_in_parts(client: Client, media: Path, upload: Upload) -> None:
    run = samples.finished_run(media, upload)
    address = f"/runs/{run.id}/keyframes.mp4"
    client.get(address).close()
    (made,) = (store.run_dir(media, run.id) / "keyframes").iterdir()
    before = made.stat()
    part = client.get(address, headers={"Range": "bytes=0-99"})
    assert part.status_code == 206
    assert len(b"".join(part.streaming_content)) == 100
    assert made.stat() == before
