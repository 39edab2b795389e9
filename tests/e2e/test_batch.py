"""Two clips from the upload to their batch, through cancelling and trying again, into the history and its trash."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import Site, manage, serving
from tests.e2e.test_pages import put_on
from tests.web import samples

pytestmark = pytest.mark.e2e

ANALYSIS_TIMEOUT_MS = 240_000
WORDS = {
    "en": {"cancelled": "Cancelled", "waiting": "Waiting", "deleted": "was deleted.", "undo": "Undo"},
    "zh-hans": {"cancelled": "已取消", "waiting": "等待中", "deleted": "已删除", "undo": "撤销"},
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site without a worker, so that what waits waits until the test starts one."""
    with serving(tmp_path_factory.mktemp("media"), DEEPFAKE_START_WORKER="0") as site:
        yield site


@pytest.fixture
def clips(tmp_path: Path, request: pytest.FixtureRequest) -> list[Path]:
    """Two that differ from each other, and from those of the other walk."""
    rate = 10 if "en" in request.node.name else 11
    return [
        samples.face_clip(tmp_path / "beach.mp4", seconds=1, rate=rate, size=(960, 540)),
        samples.face_clip(tmp_path / "winter.mp4", seconds=2, rate=rate, size=(960, 540)),
    ]


@pytest.mark.parametrize(("language", "width"), [("en", 1280), ("zh-hans", 390)])
def test_a_batch_and_its_history(page: Page, site: Site, clips: list[Path], language: str, width: int) -> None:
    words = WORDS[language]
    put_on(page, site, language, "light", width)
    page.goto("/")
    page.locator("#files").set_input_files(clips)
    expect(page.locator("#rows input[name=uploads]:checked")).to_have_count(2, timeout=60_000)
    page.locator("#start-button").click()
    expect(page).to_have_url(re.compile(r"/batches/b[\d-]+-[0-9a-f]{6}/$"))

    first, second = row(page, "beach.mp4"), row(page, "winter.mp4")
    expect(first).to_contain_text(words["waiting"])
    cancel_and_try_again(page, second, words)
    with manage(site.media, "worker"):
        for each in (first, second):
            expect(each.locator(".score .verdict")).to_be_visible(timeout=ANALYSIS_TIMEOUT_MS)
    expect(page.locator("#totals a[href*=unfinished]")).to_have_count(0)
    assert sum(map(int, page.locator("#totals .number").all_inner_texts())) == 2
    fits(page)
    with page.expect_download() as table:
        page.get_by_role("link", name="CSV").click()
    assert "beach.mp4" in table.value.path().read_text(encoding="utf-8-sig")

    page.goto("/history/")
    filter_and_sort(page)
    walk_by_keyboard(page)
    delete_and_undo(page, words)
    page.locator("a.name").first.focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/runs/[\d-]+-[0-9a-f]+/$"))


def row(page: Page, name: str) -> Locator:
    return page.locator("table.rows tbody tr").filter(has_text=name)


def fits(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0


def cancel_and_try_again(page: Page, run: Locator, words: dict[str, str]) -> None:
    run.locator("button[data-post$=cancel]").click()
    expect(run).to_contain_text(words["cancelled"])
    expect(page.locator("#totals a[href*=cancelled]")).to_contain_text("1")
    run.locator("button[data-post$=retry]").click()
    expect(run).to_contain_text(words["waiting"])
    expect(page.locator("#totals a[href*=cancelled]")).to_have_count(0)


def filter_and_sort(page: Page) -> None:
    fits(page)
    names = page.locator("table.rows a.name")
    page.locator("input[name=q]").fill("winter")
    page.locator("input[name=q]").press("Enter")
    expect(names.filter(has_text="beach")).to_have_count(0)
    expect(names.first).to_have_text("winter.mp4")
    page.goto("/history/")
    for expected, first in (("ascending", "beach.mp4"), ("descending", "winter.mp4")):
        page.locator("th.video a").click()
        expect(page.locator("th.video")).to_have_attribute("aria-sort", expected)
        expect(names.first).to_have_text(first)


def walk_by_keyboard(page: Page) -> None:
    names = page.locator("table.rows a.name")
    page.locator("h1").click()
    page.keyboard.press("/")
    expect(page.locator("input[name=q]")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(names.nth(0)).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(names.nth(1)).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(names.nth(0)).to_be_focused()
    page.keyboard.press("Space")
    expect(page.locator("input[name=run]").first).to_be_checked()


def delete_and_undo(page: Page, words: dict[str, str]) -> None:
    """The first row, which is chosen."""
    names = page.locator("table.rows a.name")
    before = names.count()
    page.locator("table.rows a.name").first.focus()
    page.keyboard.press("Delete")
    expect(page.locator(".notice.success")).to_contain_text(words["deleted"])
    expect(names).to_have_count(before - 1)
    fits(page)
    page.get_by_role("button", name=words["undo"]).click()
    expect(names).to_have_count(before)
    expect(names.first).to_have_text("winter.mp4")
