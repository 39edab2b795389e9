"""From a result to what a person takes along: its report and tables, a comparison, and the key frames."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from django.utils import translation
from playwright.sync_api import Locator, Page, expect
from pypdf import PdfReader

from detection.records.schema import RunRecord
from tests.e2e.conftest import Site
from tests.e2e.test_pages import put_on
from tests.e2e.waiting import wait_until
from tests.web import samples

pytestmark = pytest.mark.e2e

VIDEOS = "[...document.querySelectorAll('.compare video')]"


@pytest.fixture
def runs(media: Path, tmp_path: Path) -> tuple[RunRecord, RunRecord]:
    """A long video with two people, and a short one."""
    long = samples.add_upload(media, samples.face_clip(tmp_path / "long one.mp4", seconds=10))
    short = samples.add_upload(media, samples.face_clip(tmp_path / "short.mp4", seconds=4, size=(320, 240)))
    return (
        samples.finished_run(media, long, scores=(0.9, 0.2), modules=("space", "feature")),
        samples.finished_run(media, short, scores=(0.3,), duration_s=4.0),
    )


def saved(page: Page, link: Locator) -> Path:
    with page.expect_download() as download:
        link.click()
    return download.value.path()


def fits(page: Page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth === document.documentElement.clientWidth")


@pytest.mark.parametrize(("language", "theme", "width"), [("en", "light", 1280), ("zh-hans", "dark", 390)])
def test_report_comparison_and_key_frames(
    page: Page, site: Site, runs: tuple[RunRecord, RunRecord], language: str, theme: str, width: int
) -> None:
    put_on(page, site, language, theme, width)
    with translation.override(language):
        reports(page, runs[0], translation.gettext)
        comparison(page, runs, translation.gettext)
        key_frames(page, runs[0], translation.gettext)


def reports(page: Page, run: RunRecord, words: Callable[[str], str]) -> None:
    page.goto(f"/runs/{run.id}/")
    pdf = PdfReader(saved(page, page.get_by_role("link", name=words("PDF report"))))
    assert words("A face in this video was probably forged.") in pdf.pages[0].extract_text()
    assert words("Page %(number)d of %(count)d") % {"number": 1, "count": len(pdf.pages)} in pdf.pages[0].extract_text()
    panel = page.get_by_role("region", name=words("Take it with you"))
    report = json.loads(saved(page, panel.get_by_role("link", name="JSON")).read_text())
    assert report["record"]["id"] == run.id
    rows = saved(page, panel.get_by_role("link", name="CSV").first).read_text().splitlines()
    assert len(rows) == 1 + 2 * 3  # of two people the whole and two modules


def comparison(page: Page, runs: tuple[RunRecord, RunRecord], words: Callable[[str], str]) -> None:
    page.get_by_role("link", name=words("Compare with…")).click()
    page.locator(f'a[href$="b={runs[1].id}"]').click()
    assert fits(page)
    wait_until(page, f"{VIDEOS}.length === 2 && {VIDEOS}.every(video => video.readyState >= 2)")
    slider = page.get_by_role("slider", name="A, ").first
    slider.press("Home")
    for _ in range(12):
        slider.press("ArrowRight")
    wait_until(page, f"{VIDEOS}.every(video => Math.abs(video.currentTime - 12 * 10 / 59) < 0.05)")
    button = page.get_by_role("button", name=words("Play"))
    button.click()
    wait_until(page, f"{VIDEOS}.every(video => video.currentTime > 2.3)")
    page.get_by_role("button", name=words("Pause")).click()
    wait_until(page, f"Math.abs(Math.min({VIDEOS}[0].currentTime, 4) - {VIDEOS}[1].currentTime) < 0.2")
    slider.press("End")  # behind the end of the shorter one, which waits there
    wait_until(page, f"{VIDEOS}[0].currentTime > 9.8 && Math.abs({VIDEOS}[1].currentTime - 4) < 0.2")
    page.get_by_role("link", name="long one.mp4").click()


def key_frames(page: Page, run: RunRecord, words: Callable[[str], str]) -> None:
    page.get_by_role("link", name=words("See them, and their video")).click()
    assert fits(page)
    archive = zipfile.ZipFile(saved(page, page.get_by_role("link", name=words("Pictures and manifest (ZIP)"))))
    assert archive.testzip() is None
    assert f"long one-{run.id}/person1/frame0000000_plain_frame.png" in archive.namelist()
    page.get_by_text(words("Play the key-frame video")).click()
    video = page.locator("video")
    expect(video).to_be_visible()
    video.evaluate("video => { video.muted = true; video.play(); }")
    wait_until(page, "document.querySelector('video').currentTime > 0")
    moment = page.locator('a.moment[href*="#t="]').nth(1)
    seconds = float(moment.get_attribute("href").rsplit("=")[-1])
    moment.click()
    wait_until(page, f"Math.abs(document.querySelector('#player video')?.currentTime - {seconds}) < 0.05")
