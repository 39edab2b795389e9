"""The way of a person through the site: a video in, progress, a result, and found again in the history."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Site
from tests.e2e.test_pages import put_on
from tests.e2e.waiting import wait_until
from tests.web import samples

pytestmark = pytest.mark.e2e

ANALYSIS_TIMEOUT_MS = 120_000


ENGLISH = {
    "choose": "Choose videos",
    "ready": "Ready",
    "start": "Check 1 video",
    "verdict": "forged|decide|judged",
    "main": "Main",
    "history": "History",
}
CHINESE = {
    "choose": "选择视频",
    "ready": "就绪",
    "start": "检测 1 个视频",
    "verdict": "伪造|判断",
    "main": "主导航",
    "history": "历史记录",
}


@pytest.mark.parametrize(
    ("language", "words", "width", "seconds"), [("en", ENGLISH, 1280, 3), ("zh-hans", CHINESE, 390, 4)]
)
def test_from_upload_to_history(
    page: Page, site: Site, tmp_path: Path, language: str, words: dict[str, str], width: int, seconds: int
) -> None:
    name = f"astronaut {language}.mp4"
    clip = samples.face_clip(tmp_path / name, seconds=seconds, size=(960, 540), sound=True)
    put_on(page, site, language, "light", width)
    page.goto("/")
    page.get_by_label(words["choose"]).set_input_files([clip])
    row = page.get_by_role("listitem").filter(has_text=name)
    expect(row).to_contain_text("960 × 540")
    expect(row).to_contain_text("H.264")

    page.reload()  # nothing is lost
    expect(row).to_contain_text(words["ready"])
    page.get_by_role("button", name=words["start"]).click()
    expect(page).to_have_url(re.compile(r"/runs/"))  # to be followed; there the result opens by itself
    verdict = re.compile(words["verdict"])
    expect(page.get_by_role("heading", level=1)).to_have_text(verdict, timeout=ANALYSIS_TIMEOUT_MS)
    expect(page.get_by_text("SHA-256")).to_be_visible()
    wait_until(page, "document.querySelector('video').readyState >= 2")

    page.get_by_role("navigation", name=words["main"]).get_by_role("link", name=words["history"]).click()
    page.get_by_role("link", name=name, exact=True).click()
    expect(page).to_have_url(re.compile(r"/runs/[\d-]+-[0-9a-f]+/$"))


def test_a_dropped_text_is_listed_with_what_is_wrong(page: Page) -> None:
    page.goto("/")
    page.evaluate(
        """() => {
            const data = new DataTransfer();
            data.items.add(new File(["no video"], "letter.mp4"));
            document.getElementById("add").dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true }));
        }"""
    )
    row = page.get_by_role("listitem").filter(has_text="letter.mp4")
    expect(row).to_contain_text("The file cannot be read as a video.")
    row.get_by_role("button", name="Remove letter.mp4").click()
    expect(page.get_by_text("“letter.mp4” was removed.")).to_be_visible()
    expect(row).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(row).to_have_count(1)


def test_a_file_that_the_browser_cannot_play_is_played_from_a_copy(page: Page, tmp_path: Path) -> None:
    old = samples.face_clip(tmp_path / "old.avi", codec="mpeg4")
    page.goto("/")
    page.get_by_label("Choose videos").set_input_files([old])
    page.get_by_role("button", name="Play old.avi").click()
    video = page.get_by_role("dialog", name="Preview").locator("video")
    expect(video).to_have_attribute("src", re.compile(r"preview\.mp4$"), timeout=30_000)
    wait_until(page, "document.querySelector('#player video').readyState >= 2")
    page.keyboard.press("Escape")
    expect(video).not_to_be_visible()
