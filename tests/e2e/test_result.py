"""The result page in a browser: one moment, shared by the player, the timelines and everything that names a moment."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from detection.records.schema import RunRecord
from detection.web import timelines
from tests.e2e.waiting import wait_until
from tests.web import samples

pytestmark = pytest.mark.e2e

TIME = "document.querySelector('video').currentTime"


@pytest.fixture
def run(media: Path, tmp_path: Path) -> RunRecord:
    upload = samples.add_upload(media, samples.face_clip(tmp_path / "two people.mp4", seconds=10))
    return samples.finished_run(media, upload, scores=(0.7, 0.2), modules=("space", "feature"))


def open_result(page: Page, run: RunRecord) -> None:
    page.goto(f"/runs/{run.id}/")
    wait_until(page, "document.querySelector('video').readyState >= 1")


def test_timelines_and_player_are_one(page: Page, run: RunRecord) -> None:
    open_result(page, run)
    space, feature = page.get_by_role("slider").all()
    expect(space).to_have_attribute("aria-label", "Score over time: Space")
    box = space.locator(".u-over").bounding_box()
    space.click(position={"x": 52 + box["width"] / 2, "y": 40})
    wait_until(page, f"Math.abs({TIME} - 5) < 0.7")
    assert abs(float(feature.get_attribute("aria-valuenow")) - 5) < 0.8  # all show the same moment

    space.press("Home")
    wait_until(page, f"{TIME} === 0")
    space.press("ArrowRight")
    wait_until(page, f"{TIME} > 0.1")
    assert page.evaluate(TIME) == pytest.approx(10 / 59, abs=0.02)
    space.press("ArrowLeft")
    wait_until(page, f"{TIME} === 0")
    space.press("Shift+ArrowRight")
    wait_until(page, f"Math.abs({TIME} - 100 / 59) < 0.05")


def test_the_worst_moments_are_one_click_and_one_key_away(page: Page, run: RunRecord) -> None:
    open_result(page, run)
    worst = timelines.moments(run.analysis)[0]
    page.get_by_role("list", name="Moments with the highest scores").get_by_role("button").first.click()
    wait_until(page, f"Math.abs({TIME} - {worst.start_s}) < 0.05")
    slider = page.get_by_role("slider").first
    slider.press("Home")
    slider.press("PageDown")
    first = min(moment.start_s for moment in timelines.moments(run.analysis) if moment.start_s > 0.05)
    wait_until(page, f"Math.abs({TIME} - {first}) < 0.05")


def test_key_frames_faces_and_measures_lead_to_their_moment(page: Page, run: RunRecord) -> None:
    open_result(page, run)
    button = page.locator("#result .evidence [data-seek]").first
    button.click()
    wait_until(page, f"Math.abs({TIME} - {button.get_attribute('data-seek')}) < 0.05")
    page.locator(".deviations .series").first.click(position={"x": 3, "y": 10})
    wait_until(page, f"{TIME} < 0.5")


def test_a_person_can_be_taken_out_of_the_timelines(page: Page, run: RunRecord) -> None:
    open_result(page, run)
    button = page.get_by_role("list", name="People shown").get_by_role("button", name="Person 2")
    expect(button).to_have_attribute("aria-pressed", "true")
    before = page.locator(".timeline canvas").first.screenshot()
    button.click()
    expect(button).to_have_attribute("aria-pressed", "false")
    assert page.locator(".timeline canvas").first.screenshot() != before


def test_pictures_are_enlarged_and_followed_by_arrow_keys(page: Page, run: RunRecord) -> None:
    open_result(page, run)
    page.locator("#result [data-enlarge]").first.click()
    dialog = page.get_by_role("dialog", name="Picture")
    first = dialog.locator("img").get_attribute("src")
    assert "plain_frames" in first
    page.keyboard.press("ArrowRight")
    expect(dialog.locator("img")).not_to_have_attribute("src", first)
    page.keyboard.press("ArrowLeft")
    expect(dialog.locator("img")).to_have_attribute("src", first)
    page.keyboard.press("Escape")
    expect(dialog).not_to_be_visible()
