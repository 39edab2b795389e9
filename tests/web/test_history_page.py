from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from detection import jobs
from detection.records import log, store
from detection.records.rebuild import rebuild_log
from detection.records.schema import Reason
from detection.records.uploads import Upload
from tests.web import samples


@pytest.fixture
def runs(media: Path, upload: Upload) -> dict[str, str]:
    """Run ids by what they are."""
    return {
        "fake": samples.finished_run(media, upload, scores=(0.9,)).id,
        "real": samples.finished_run(media, upload, scores=(0.1,), modules=("space", "feature")).id,
        "no_result": samples.finished_run(media, upload, reason=Reason.NO_FACE).id,
        "failed": samples.failed_run(media, upload).id,
    }


def listed(client: Client, runs: dict[str, str], query: str = "") -> list[str]:
    page = client.get(f"/history/{query}").content.decode()
    places = {name: page.find(f'href="{reverse("run", args=[run_id])}"') for name, run_id in runs.items()}
    return sorted((name for name in runs if places[name] >= 0), key=lambda name: places[name])


def test_the_newest_comes_first_and_every_row_opens_its_result(client: Client, runs: dict[str, str]) -> None:
    assert listed(client, runs) == ["failed", "no_result", "real", "fake"]


def test_different_files_of_one_name_are_told_apart(client: Client, media: Path, upload: Upload, clip: Path) -> None:
    """By the beginning of their hashes, where two such stand in the list; two runs over one file are no such two."""

    def marks(query: str = "") -> list[str]:
        return re.findall("SHA-256 ([0-9a-f]{8})…", client.get(f"/history/{query}").content.decode())

    first, second = samples.finished_run(media, upload), samples.finished_run(media, upload)
    assert marks() == []
    copy = media / "copy"
    copy.write_bytes(clip.read_bytes() + b"0")
    other = samples.add_upload(media, copy, upload.name)
    third = samples.finished_run(media, other)
    mark, another = first.sha256[:8], other.sha256[:8]
    assert marks() == [another, mark, mark]
    jobs.delete(third.id)
    assert marks() == []
    jobs.start([other.sha256], ["space"])
    assert marks() == [another, mark, mark], "one that waits stands in the list too"
    assert marks("?state=done") == []
    assert {first.sha256, second.sha256} == {upload.sha256}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?verdict=fake", ["fake"]),
        ("?module=feature", ["real"]),
        ("?state=failed", ["failed"]),
        ("?state=done", ["no_result", "real", "fake"]),
        ("?q=CLIP.mp4", ["failed", "no_result", "real", "fake"]),
        ("?q=nothing+like+it", []),
        ("?min_percent=90", ["fake"]),
        ("?max_percent=10", ["real"]),
        ("?min_percent=11&max_percent=89", []),
        ("?module=feature&min_percent=10", ["real"]),
        ("?since=2026-01-01", ["failed", "no_result", "real", "fake"]),
        ("?until=2026-01-01&zone=Asia/Shanghai", []),
        ("?sort=score", ["real", "fake", "failed", "no_result"]),
        ("?sort=-score", ["fake", "real", "failed", "no_result"]),
        ("?sort=date", ["fake", "real", "no_result", "failed"]),
        ("?sort=-score&module=feature", ["real"]),
    ],
)
def test_it_filters(client: Client, runs: dict[str, str], query: str, expected: list[str]) -> None:
    assert listed(client, runs, query) == expected


def test_it_finds_a_run_by_its_hash(client: Client, runs: dict[str, str], upload: Upload) -> None:
    assert len(listed(client, runs, f"?q={upload.sha256[:20]}")) == 4


@pytest.mark.parametrize(
    "query",
    [
        "?verdict=nonsense",
        "?module=x",
        "?state=running",
        "?page=0",
        "?page=x",
        "?since=yesterday",
        "?min_percent=101",
        "?sort=luck",
        "?zone=Mars/Olympus",
        "?zone=../../etc/passwd",
        "?zone=Europe",
    ],
)
def test_a_filter_that_makes_no_sense_is_refused(client: Client, query: str) -> None:
    response = client.get(f"/history/{query}")
    assert response.status_code == 400
    page = response.content.decode()
    assert "The filter could not be understood." in page
    assert "No results yet" not in page
    assert 'name="min_percent"' in page  # so that what is wrong can be put right


def test_pages_keep_the_filter(client: Client, media: Path, upload: Upload) -> None:
    for _ in range(26):
        samples.finished_run(media, upload, reason=Reason.NO_FACE)
    page = client.get("/history/?verdict=no_result").content.decode()
    assert "Page 1 of 2" in page
    assert "?verdict=no_result&amp;page=2" in page
    assert "Page 2 of 2" in client.get("/history/?verdict=no_result&page=2").content.decode()


def test_beyond_the_last_page_is_the_last_page_and_not_an_empty_history(client: Client, runs: dict[str, str]) -> None:
    response = client.get("/history/?q=clip&page=99")
    assert response.url == "/history/?q=clip&page=1"
    assert "No results yet" not in client.get(response.url).content.decode()


def test_days_are_the_readers(client: Client, media: Path, upload: Upload) -> None:
    """A run of 23:30 UTC is of the next day in Shanghai."""
    run = samples.finished_run(media, upload)
    store.save_run(media, replace(run, created_at="2026-03-01T23:30:00.000+00:00"))
    rebuild_log(media)
    runs = {"late": run.id}
    assert listed(client, runs, "?since=2026-03-01&until=2026-03-01") == ["late"]
    assert listed(client, runs, "?since=2026-03-02&zone=UTC") == []
    assert listed(client, runs, "?since=2026-03-02&until=2026-03-02&zone=Asia/Shanghai") == ["late"]


def test_a_head_says_how_the_table_is_sorted_and_turns_it_round(client: Client, runs: dict[str, str]) -> None:
    heads = re.findall(r'aria-sort="(\w+)"><a href="([^"]+)"', client.get("/history/?q=clip&page=1").content.decode())
    assert heads == [
        ("none", "?q=clip&amp;sort=name"),
        ("descending", "?q=clip&amp;sort=date"),
        ("none", "?q=clip&amp;sort=-duration"),
        ("none", "?q=clip&amp;sort=-score"),
    ]
    heads = re.findall(r'aria-sort="(\w+)"><a href="([^"]+)"', client.get("/history/?sort=name").content.decode())
    assert heads[0] == ("ascending", "?sort=-name")


def test_with_a_module_its_verdict_is_shown(client: Client, media: Path, upload: Upload) -> None:
    samples.finished_run(media, upload, modules=("space", "feature"))
    path = log.log_path(media, "feature")
    path.write_text(path.read_text().replace('"verdict":"fake","score":0.93', '"verdict":"real","score":0.07', 1))
    assert "7\u00a0%" in client.get("/history/?module=feature").content.decode()
    assert "93\u00a0%" in client.get("/history/?module=space").content.decode()


def test_an_empty_history_leads_to_the_first_page(client: Client) -> None:
    assert "No results yet." in client.get("/history/").content.decode()


def test_unfinished_runs_stand_on_top(client: Client, runs: dict[str, str], upload: Upload) -> None:
    (active,) = jobs.start([upload.sha256], ["space"])
    assert listed(client, {**runs, "active": active})[0] == "active"


def test_a_log_that_cannot_be_read_is_reported(client: Client, runs: dict[str, str], media: Path) -> None:
    with log.log_path(media, "space").open("a") as file:
        file.write("torn\n")
    page = client.get("/history/").content.decode()
    assert "rebuild_log" in page
    assert len(listed(client, runs)) == 4
