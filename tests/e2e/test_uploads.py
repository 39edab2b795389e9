"""Uploads that are never lost: folders, broken connections, closed pages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.web import samples

pytestmark = pytest.mark.e2e

expect.set_options(timeout=60_000)  # a busy machine takes its time

PIECE_BYTES = 2 * 1024 * 1024  # of static/js/sender.js
TUS = re.compile(r"/api/v1/tus/")


@pytest.fixture
def large_clip(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A clip of three pieces, another one for each test: most of it is a box that players skip."""
    clip = samples.face_clip(tmp_path / f"{request.node.name}.mp4", seconds=1)
    filling = 2 * PIECE_BYTES + len(clip.name)
    with clip.open("ab") as file:
        file.write((filling + 8).to_bytes(4, "big") + b"free" + bytes(filling))
    return clip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two clips in different depths, and something else."""
    top = tmp_path / "holiday"
    (top / "day 1" / "morning").mkdir(parents=True)
    samples.face_clip(top / "beach.mp4", seconds=1)
    samples.face_clip(top / "day 1" / "morning" / "boat.mp4", seconds=1, rate=10)
    (top / "notes.txt").write_text("sunny")
    return top


def row_of(page: Page, name: str) -> Locator:
    return page.get_by_role("listitem").filter(has_text=name)


def test_a_folder_is_taken_with_what_lies_deep_in_it(page: Page, folder: Path) -> None:
    page.goto("/")
    page.get_by_label("Choose a folder").set_input_files(folder)
    for name in ("beach.mp4", "boat.mp4"):
        expect(row_of(page, name)).to_contain_text("480 × 270")
    expect(page.get_by_text("no videos and were left out: 1")).to_be_visible()
    expect(row_of(page, "notes.txt")).to_have_count(0)


def test_a_dropped_folder_is_read_to_its_end(page: Page) -> None:
    """Browsers hand out its entries a hundred at a time. A script can drop no folder, so this one is made up."""
    page.goto("/")
    names = page.evaluate(
        """async () => {
            const { filesOf } = await import("/static/js/drop.js");
            const file = (name) => ({ isDirectory: false, file: (give) => give(new File(["x"], name)) });
            const folder = (...entries) => ({ isDirectory: true, createReader: () => ({
                readEntries: (give) => give(entries.splice(0, 100)),
            }) });
            const many = Array.from({ length: 250 }, (_, n) => file(`${n}.mp4`));
            const entry = folder(...many, folder(file("deep.mp4")));
            const items = [{ kind: "file", getAsFile: () => null, webkitGetAsEntry: () => entry }];
            return (await filesOf({ items })).found.map((each) => each.name);
        }"""
    )
    assert len(names) == 251
    assert names[-1] == "deep.mp4"


def test_an_upload_that_broke_off_goes_on_after_a_refresh(page: Page, large_clip: Path, faults: list[str]) -> None:
    pieces: list[int] = []

    def one_piece_and_no_more(route: Route) -> None:
        if route.request.method == "PATCH":
            pieces.append(int(route.request.headers["upload-offset"]))
        if pieces[1:]:
            route.abort()
        else:
            route.continue_()

    page.goto("/")
    page.route(TUS, one_piece_and_no_more)
    page.get_by_label("Choose videos").set_input_files(large_clip)
    row = row_of(page, large_clip.name)
    expect(row).to_contain_text("goes on by itself")
    page.on("dialog", lambda dialog: dialog.accept())  # it asks before a page is left that is sending
    page.reload()
    expect(row).to_contain_text("Interrupted at 49 %")
    page.unroute(TUS)
    page.route(TUS, lambda route: (pieces.append(_offset(route)), route.continue_()))
    pieces.clear()
    page.get_by_label("Choose videos").set_input_files(large_clip)
    expect(row).to_contain_text("480 × 270")
    expect(row).to_have_count(1)
    assert [offset for offset in pieces if offset is not None] == [PIECE_BYTES, 2 * PIECE_BYTES]
    page.reload()
    expect(row).to_contain_text("Ready")
    assert [fault for fault in faults if "ERR_FAILED" not in fault] == []
    faults.clear()


def _offset(route: Route) -> int | None:
    return int(route.request.headers["upload-offset"]) if route.request.method == "PATCH" else None


def test_a_broken_connection_mends_by_itself(page: Page, large_clip: Path, faults: list[str]) -> None:
    broken = iter([False, False, True, True])

    page.goto("/")
    page.route(TUS, lambda route: route.abort() if next(broken, False) else route.continue_())
    page.get_by_label("Choose videos").set_input_files(large_clip)
    expect(row_of(page, large_clip.name)).to_contain_text("480 × 270")
    assert [fault for fault in faults if "ERR_FAILED" not in fault] == []
    faults.clear()


def test_an_interrupted_upload_is_given_up(page: Page, large_clip: Path, faults: list[str]) -> None:
    page.goto("/")
    page.route(TUS, lambda route: route.abort() if route.request.method == "PATCH" else route.continue_())
    page.get_by_label("Choose videos").set_input_files(large_clip)
    row = row_of(page, large_clip.name).filter(has=page.locator(".cancel"))
    expect(row).to_contain_text("goes on by itself")
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()
    expect(row).to_contain_text("Interrupted at 0 %")
    with page.expect_response(lambda response: response.request.method == "DELETE") as answer:
        row.get_by_role("button", name="Do not upload").click()
    assert answer.value.status == 204
    page.reload()
    expect(page.get_by_text("Interrupted")).to_have_count(0)
    faults.clear()


def test_a_video_that_was_analysed_before_is_recognised(page: Page, media: Path, tmp_path: Path) -> None:
    clip = samples.face_clip(tmp_path / "known.mp4", seconds=1, rate=9)
    page.goto("/")
    samples.finished_run(media, samples.add_upload(media, clip))
    page.get_by_label("Choose videos").set_input_files(clip)
    row = row_of(page, "known.mp4")
    expect(row).to_contain_text("You have analysed this video already")
    expect(row.get_by_role("link", name="See the result")).to_be_visible()
    expect(row.get_by_role("button", name="Analyse again")).to_be_visible()
