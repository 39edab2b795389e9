"""Every page in a browser: fit for a telephone, a keyboard and a screen reader, light and dark, in both languages."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect

from detection.records.schema import Reason
from tests.e2e.conftest import Site
from tests.web import samples

pytestmark = pytest.mark.e2e

AXE = Path(settings.BASE_DIR) / "node_modules" / "axe-core" / "axe.min.js"
ADDRESSES = {
    "upload": "/Space_Upload_1/",
    "unavailable": "/Blend_Upload_1/",
    "history": "/history/?min_percent=1",
    "batches": "/batches/",
    "choose to compare": "/compare/",
    "trash": "/trash/",
    "statistics": "/analysis/",
    "key frames": "/keyframe/",
    "evaluation": "/acc/",
    "help": "/help/",
    "interface": "/api/",
}
LOOKS = [("en", "light", 1280), ("en", "dark", 390), ("zh-hans", "light", 390), ("zh-hans", "dark", 1280)]


@pytest.fixture
def runs(media: Path, tmp_path: Path) -> dict[str, str]:
    """Addresses of results."""
    upload = samples.add_upload(media, samples.face_clip(tmp_path / "a rather long name of a clip.mp4", seconds=10))
    people = samples.finished_run(media, upload, scores=(0.9, 0.2), modules=("space", "feature"))
    nobody = samples.finished_run(media, upload, reason=Reason.NO_FACE)
    failed = samples.failed_run(media, upload)
    compared = f"/compare/?a={people.id}&b={nobody.id}"
    results = {"people": people, "nobody": nobody, "failed": failed}
    frames = f"/keyframe/?run={people.id}"
    return {"compared": compared, "key frames of a run": frames} | {
        name: f"/runs/{run.id}/" for name, run in results.items()
    }


def put_on(page: Page, site: Site, language: str, theme: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=theme)
    page.context.add_cookies([{"name": "django_language", "value": language, "url": site.address}])


@pytest.mark.parametrize(("language", "theme", "width"), LOOKS)
def test_pages_fit_and_are_accessible(
    page: Page, site: Site, runs: dict[str, str], language: str, theme: str, width: int
) -> None:
    if not AXE.exists():
        pytest.skip("axe-core is not installed (npm ci)")
    put_on(page, site, language, theme, width)
    found = {}
    for name, address in {**ADDRESSES, **runs}.items():
        page.goto(address)
        page.wait_for_load_state("networkidle")
        assert page.locator("html").get_attribute("data-bs-theme") == theme
        too_wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if too_wide:
            found[f"{name}: too wide"] = too_wide
        for violation in _violations(page):
            found[f"{name}: {violation['id']}"] = [node["html"][:160] for node in violation["nodes"][:3]]
    assert found == {}


def _violations(page: Page) -> list[dict]:
    page.evaluate(AXE.read_text())  # not as a script element: the page's policy forbids that, as it should
    options = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}
    return page.evaluate("options => axe.run(document, options)", options)["violations"]


def test_colours_are_switched_and_kept(page: Page) -> None:
    page.goto("/help/")
    page.get_by_role("button", name="Dark colours").click()
    page.goto("/history/")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")


def test_the_language_is_switched_in_place(page: Page) -> None:
    page.goto("/history/?verdict=fake")
    page.get_by_role("button", name="简体中文").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("历史记录")
    assert page.url.endswith("/history/?verdict=fake")
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("History")


def test_a_deleted_result_is_brought_back(page: Page, runs: dict[str, str]) -> None:
    page.goto(runs["failed"])
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("was deleted.")).to_be_visible()
    row = page.locator(f'a[href="{runs["failed"]}"]')
    expect(row).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(row).to_have_count(1)
