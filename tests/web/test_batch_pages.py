from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from detection import jobs
from detection.jobs import batches
from detection.records import store
from detection.records.schema import Reason, RunState
from detection.records.uploads import Upload
from tests.records import make
from tests.web import samples

NAMES = ["beach.mp4", "boat.mp4", "=cmd|A0.mp4", "dance.mp4"]


@pytest.fixture
def batch(client: Client, media: Path, clip: Path) -> str:
    """A batch that was started on the upload page."""
    files = []
    for number, name in enumerate(NAMES):
        copy = media / f"{number}"
        copy.write_bytes(clip.read_bytes() + bytes(number + 1))
        files.append(samples.add_upload(media, copy, name).sha256)
    response = client.post("/Space_detect", {"uploads": files, "modules": ["space", "feature"]})
    (started,) = batches.page()[0]
    assert response.url == reverse("batch", args=[started.id])
    return started.id


def test_the_queue_is_asked_only_while_something_waits(client: Client, batch: str, ended: dict[str, str]) -> None:
    address = reverse("batch", args=[batch])
    assert client.get(address).context["queue"].queued
    jobs.cancel(ended["queued"])
    assert client.get(address).context["queue"] is None


@pytest.fixture
def ended(media: Path, batch: str) -> dict[str, str]:
    """Run ids by what became of them: fake, no face, failed; "queued" is the last."""
    first, second, third, fourth = (run.id for run in batches.find(batch).active)
    modules = ("space", "feature")
    store.finish_run(media, first, RunState.DONE, analysis=make.analysis(0.9, modules))
    store.finish_run(media, second, RunState.DONE, analysis=make.analysis(None, modules, Reason.NO_FACE))
    store.finish_run(media, third, RunState.FAILED, error="The worker was killed (signal 9).")
    return {"fake": first, "no_result": second, "failed": third, "queued": fourth}


def names(page: str) -> list[str]:
    return re.findall(r'<a class="name[^>]*>([^<]+)</a>', page)


def test_the_page_shows_every_run_with_its_state_and_scores(client: Client, batch: str, ended: dict[str, str]) -> None:
    page = client.get(reverse("batch", args=[batch])).content.decode()
    assert len(names(page)) == 4
    assert "Batch of 4 videos" in page
    for words in ("Probably forged", "No face was found.", "signal 9", "Waiting · next in the queue"):
        assert words in page
    assert page.count("data-run=") == 1
    assert page.count("90\u00a0%") == 3  # of the run, of Space and of Feature
    for kind in ("fake", "no_result", "failed", "unfinished"):
        assert f"?show={kind}" in page


def test_different_files_of_one_name_are_told_apart(client: Client, media: Path, clip: Path) -> None:
    """By the beginning of their hashes; on the page, in a row that the page's script draws anew, under the old name."""
    files = []
    for number, name in enumerate(("beach.mp4", "beach.mp4", "boat.mp4")):
        copy = media / f"{number}"
        copy.write_bytes(clip.read_bytes() + bytes(number + 1))
        files.append(samples.add_upload(media, copy, name).sha256)
    client.post("/Space_detect", {"uploads": files, "modules": ["space"]})
    (batch,) = batches.page()[0]
    old = client.post("/Space_batch_Update", {"rowData[]": [batch.id]}).content.decode()
    for page in (client.get(reverse("batch", args=[batch.id])).content.decode(), old):
        assert [f"SHA-256 {sha256[:8]}…" in page for sha256 in files] == [True, True, False]
    for run in batch.active:
        row = client.get(reverse("batch-row", args=[batch.id, run.id])).content.decode()
        assert (f"SHA-256 {run.sha256[:8]}…" in row) is (run.video_name == "beach.mp4")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?show=fake", ["beach.mp4"]),
        ("?show=unfinished", ["dance.mp4"]),
        ("?q=BOAT", ["boat.mp4"]),
        ("?q=nothing", []),
        ("?sort=-name", ["dance.mp4", "boat.mp4", "beach.mp4", "=cmd"]),
        ("?sort=-space", ["beach.mp4", "boat.mp4", "=cmd", "dance.mp4"]),
        ("?sort=-started", ["dance.mp4", "=cmd", "boat.mp4", "beach.mp4"]),
    ],
)
def test_rows_are_filtered_and_sorted(
    client: Client, batch: str, ended: dict[str, str], query: str, expected: list[str]
) -> None:
    found = names(client.get(reverse("batch", args=[batch]) + query).content.decode())
    assert [name.partition("|")[0] for name in found] == expected


def test_a_choice_that_makes_no_sense_shows_everything(client: Client, batch: str) -> None:
    address = reverse("batch", args=[batch])
    for query in ("?sort=luck", "?show=x", "?page=0"):
        assert client.get(address + query).url == address


def test_the_parts_that_the_script_asks_for(client: Client, batch: str, ended: dict[str, str]) -> None:
    row = client.get(reverse("batch-row", args=[batch, ended["fake"]])).content.decode()
    assert row.startswith("<tr")
    assert "data-run=" not in row
    totals = client.get(reverse("batch-totals", args=[batch])).content.decode()
    assert "Try 1 failed run again" in totals
    assert "Cancel all" in totals
    stray = "20260101-000000000-000000"
    assert client.get(reverse("batch-row", args=[batch, stray])).status_code == 404


def test_one_run_or_all_failed_ones_are_tried_again(client: Client, batch: str, ended: dict[str, str]) -> None:
    address = reverse("batch-retry", args=[batch])
    refused = client.post(address, {"run": ended["fake"]}, follow=True).content.decode()
    assert "only failed and cancelled" in refused
    page = client.post(address, follow=True).content.decode()
    assert "1 run is tried again." in page
    assert {run.id for run in jobs.active()} == {ended["failed"], ended["queued"]}
    client.post(reverse("batch-cancel", args=[batch]), {"run": ended["failed"]})
    client.post(address, {"run": ended["failed"]})
    assert {run.id for run in jobs.active()} == {ended["failed"], ended["queued"]}
    everything = client.post(reverse("batch-cancel", args=[batch]), follow=True).content.decode()
    assert "2 runs are cancelled." in everything
    assert jobs.active() == []
    client.post(address, {"state": "cancelled"})
    assert len(jobs.active()) == 2


def test_a_run_of_another_batch_is_not_touched(client: Client, batch: str, upload: Upload) -> None:
    (other,) = jobs.start([upload.sha256], ["space"])
    for name in ("batch-cancel", "batch-retry"):
        assert client.post(reverse(name, args=[batch]), {"run": other}).status_code == 404
    assert other in {run.id for run in jobs.active()}


def test_the_table_to_take_away_runs_nothing(client: Client, batch: str, ended: dict[str, str], media: Path) -> None:
    response = client.get(reverse("batch-csv", args=[batch]))
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["video"] for row in rows] == ["beach.mp4", "boat.mp4", f"'{NAMES[2]}", "dance.mp4"]
    first, second, third, fourth = rows
    assert (first["verdict"], first["score"], first["feature_score"], first["fake_from"]) == (
        "fake",
        "0.9",
        "0.9",
        str(make.THRESHOLDS.fake_from),
    )
    assert (second["verdict"], second["score"], second["reason"]) == ("no_result", "", "no_face")
    assert (third["state"], third["error"]) == ("failed", "The worker was killed (signal 9).")
    assert (fourth["state"], fourth["verdict"]) == ("queued", "")


def test_everything_is_there_as_json(client: Client, batch: str, ended: dict[str, str]) -> None:
    plain = client.get(reverse("batch-json", args=[batch])).json()
    assert plain["batch"]["id"] == batch
    assert plain["totals"] | {"fake": 1, "no_result": 1, "failed": 1, "unfinished": 1} == plain["totals"]
    assert [run["video_name"] for run in plain["runs"]] == NAMES
    assert plain["runs"][0]["analysis"]["thresholds"] == vars(make.THRESHOLDS)


def test_batches_are_listed(client: Client, batch: str, ended: dict[str, str]) -> None:
    page = client.get("/batches/").content.decode()
    assert reverse("batch", args=[batch]) in page
    assert "beach.mp4, boat.mp4" in page
    assert client.get("/batches/?page=nonsense").status_code == 200
    assert "No batches yet." not in page


def test_no_batches_say_how_to_make_one(client: Client) -> None:
    assert "No batches yet." in client.get("/batches/").content.decode()
    assert client.get("/batches/b20260101-000000000-000000/").status_code == 404


def test_the_old_name_gives_the_rows_of_a_batch(client: Client, batch: str, ended: dict[str, str]) -> None:
    part = client.post("/Space_batch_Update", {"rowData[]": [batch]}).content.decode()
    assert part.startswith("<table")
    assert len(names(part)) == 4
    assert client.post("/Space_batch_Update", {"rowData[]": ["b20260101-000000000-000000"]}).status_code == 404


def test_programs_follow_a_batch(client: Client, batch: str, ended: dict[str, str]) -> None:
    found = client.get(f"/api/v1/batches/{batch}").json()
    assert [run["id"] for run in found["unfinished"]] == [ended["queued"]]
    assert {run["id"] for run in found["finished"]} == {ended["fake"], ended["no_result"], ended["failed"]}
    followed = client.get(f"/api/v1/progress?batch={batch}").json()["runs"]
    assert [run["id"] for run in followed] == [ended["queued"]]
    assert client.get("/api/v1/progress?batch=b20260101-000000000-000000").json()["runs"] == []


def test_the_last_row_to_end_is_drawn_below_the_heads_that_were_there_before(
    client: Client, media: Path, batch: str, ended: dict[str, str]
) -> None:
    def heads() -> list[str]:
        page = client.get(reverse("batch", args=[batch])).content.decode()
        return re.findall(r'class="module"[^>]*><a href="\?sort=-(\w+)"', page)

    while_waiting = heads()
    store.finish_run(media, ended["queued"], RunState.DONE, analysis=make.analysis(0.4, ("space", "feature")))
    assert heads() == while_waiting == ["space", "feature"]
