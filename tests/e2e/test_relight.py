"""A light is chosen by keyboard, the still follows, the video is made and plays beside its source."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from playwright.sync_api import Page, expect

from tests.clips import write_astronaut
from tests.e2e.conftest import Site
from tests.e2e.test_pages import AXE, LOOKS, _violations, put_on
from tests.e2e.waiting import wait_until
from tests.web import samples

pytestmark = pytest.mark.e2e

WORK_TIMEOUT_MS = 180_000
PICTURE = "document.getElementById('still').src"


@pytest.fixture
def run_page(media: Path, tmp_path: Path) -> str:
    upload = samples.add_upload(media, write_astronaut(tmp_path / "astronaut.mp4", frames=30))
    return f"/runs/{samples.finished_run(media, upload, duration_s=1.2).id}/relight/"


def test_a_light_is_chosen_by_keyboard_and_its_video_made(page: Page, run_page: str) -> None:
    page.goto(run_page)
    wait_until(page, f"{PICTURE}.startsWith('blob:')", timeout_s=60)
    before = page.evaluate(PICTURE)
    ball = page.get_by_role("slider", name="Direction of the light")
    ball.focus()
    for _ in range(3):
        ball.press("ArrowRight")
    expect(ball).to_have_attribute("aria-valuenow", "-45")
    expect(page.get_by_label("Azimuth, °")).to_have_value("-45")
    wait_until(page, f"{PICTURE} !== '{before}' && document.querySelector('.still').ariaBusy === 'false'", timeout_s=60)

    page.get_by_role("button", name="Make the video").click()
    clip = page.get_by_role("link", name="azimuth -45°, elevation 15°", exact=True)
    expect(page.get_by_role("progressbar")).to_be_visible()
    expect(page.get_by_role("progressbar")).to_have_count(0, timeout=WORK_TIMEOUT_MS)
    expect(page.locator("#made")).to_be_empty()  # and does not say for ever that it waits
    clip.click()

    expect(page.get_by_text("Relit: generated, not evidence")).to_be_visible()
    expect(page.get_by_role("row", name="Light read back")).to_contain_text("°")
    relit, source = (f"document.querySelector('.compare-{name} video')" for name in ("relit", "source"))
    wait_until(page, f"{relit}.readyState >= 2 && {source}.readyState >= 2")
    page.get_by_role("button", name="Play").click()
    wait_until(page, f"{relit}.currentTime > 0.2 && !{source}.paused")
    page.get_by_role("button", name="Pause").click()
    wait_until(page, f"Math.abs({relit}.currentTime - {source}.currentTime) < 0.05")
    page.get_by_role("button", name="Side by side").click()
    expect(page.get_by_label("Wipe")).to_have_count(1)
    assert page.evaluate(f"{relit}.videoWidth") == 448


def test_the_light_of_every_face_is_named(page: Page, media: Path, tmp_path: Path) -> None:
    face = skimage.data.astronaut()[:, 96:352]
    clip = write_astronaut(tmp_path / "two.mp4", frames=30, picture=np.hstack((face, face[:, ::-1])))
    run = samples.finished_run(media, samples.add_upload(media, clip), scores=(0.2, 0.1), duration_s=1.2)
    page.goto(f"/runs/{run.id}/relight/")
    lights = page.locator("#source-light li")
    expect(lights).to_have_count(2, timeout=60_000)
    expect(page.locator("#source-light")).to_contain_text("faces from left to right")
    left, right = (int(re.findall(r"azimuth (-?\d+)°", text)[0]) for text in lights.all_text_contents())
    assert left == pytest.approx(-right, abs=8), "a face and its mirror image"


def test_the_frame_as_it_is_is_not_called_generated(page: Page, run_page: str) -> None:
    page.goto(run_page)
    mark = page.locator("#still-mark")
    wait_until(page, f"{PICTURE}.startsWith('blob:')", timeout_s=60)
    for said in ("As it is", "Generated, not evidence"):
        page.get_by_role("button", name="Show the frame as it is").click()
        expect(mark).to_have_text(said, timeout=60_000)


def test_the_light_is_dragged_over_the_ball(page: Page, run_page: str) -> None:
    page.goto(run_page)
    box = page.get_by_role("slider", name="Direction of the light").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.68, box["y"] + box["height"] / 2, steps=4)
    page.mouse.up()
    assert page.get_by_label("Elevation, °").input_value() == "0"
    assert page.get_by_label("Azimuth, °").input_value() == "30"
    page.mouse.click(box["x"] + box["width"] * 0.97, box["y"] + box["height"] / 2)  # on the ring: from behind
    assert int(page.get_by_label("Azimuth, °").input_value()) > 90


@pytest.mark.parametrize(("language", "theme", "width"), LOOKS)
def test_the_page_fits_and_is_accessible(
    page: Page, site: Site, run_page: str, language: str, theme: str, width: int
) -> None:
    if not AXE.exists():
        pytest.skip("axe-core is not installed (npm ci)")
    put_on(page, site, language, theme, width)
    page.goto(run_page)
    wait_until(page, f"{PICTURE}.startsWith('blob:')", timeout_s=60)
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    assert {each["id"]: [node["html"][:160] for node in each["nodes"][:3]] for each in _violations(page)} == {}
