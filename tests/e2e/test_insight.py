"""Evaluation, statistics and help, as a person goes: in both languages, on a telephone and a screen."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from detection.evaluation.recompress import variants, write_variant
from tests.clips import write_astronaut
from tests.e2e.conftest import Site
from tests.e2e.test_pages import put_on
from tests.web import samples

pytestmark = pytest.mark.e2e

PATIENCE_MS = 240_000
ENGLISH = {
    "genuine": "Choose genuine clips",
    "forged": "Choose forged clips",
    "name": "Name of the evaluation",
    "go": "Evaluate",
    "figures": "Figures",
    "caught": "Fakes caught",
    "few": "Only 2 genuine clips have a result",
    "table": "As a table",
    "uncertain": "What uncertain means",
}
CHINESE = {
    "genuine": "选择真实视频",
    "forged": "选择伪造视频",
    "name": "评估的名称",
    "go": "开始评估",
    "figures": "指标",
    "caught": "检出的伪造",
    "few": "只有 2 个真实视频有结果",
    "table": "以表格显示",
    "uncertain": "“无法确定”的含义",
}


@pytest.fixture(scope="session")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two genuine clips and, as fakes, the same brightened, in a folder that is called as their method."""
    folder = tmp_path_factory.mktemp("labelled")
    (folder / "lamp").mkdir()
    (bright,) = variants("bright")
    for number in range(2):
        genuine = write_astronaut(folder / f"genuine {number}.mp4", frames=24 + 2 * number)
        write_variant(genuine, bright, folder / "lamp" / f"forged {number}.mp4")
    return folder


def fits(page: Page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


@pytest.mark.slow
@pytest.mark.parametrize(("language", "words", "width"), [("en", ENGLISH, 1280), ("zh-hans", CHINESE, 390)])
def test_from_labelled_clips_to_figures(
    page: Page, site: Site, labelled: Path, language: str, words: dict[str, str], width: int
) -> None:
    put_on(page, site, language, "light", width)
    page.set_default_timeout(PATIENCE_MS)
    page.goto("/acc/")
    if page.locator("#clear").is_visible():  # of the walk before: the lists stay until somebody empties them
        page.locator("#clear").click()
        page.get_by_role("dialog").locator(".btn-danger").click()
    expect(page.locator("#go")).to_be_disabled()
    page.get_by_label(words["genuine"]).set_input_files(sorted(labelled.glob("*.mp4")))
    page.locator("[data-label=fake] input[webkitdirectory]").set_input_files(labelled / "lamp")
    for label in ("real", "fake"):
        expect(page.locator(f"[data-list={label}] [data-said]")).to_have_count(2, timeout=PATIENCE_MS)
        row = page.locator(f"[data-list={label}] li").filter(has_text="0.mp4")
        with page.expect_response(lambda answer: answer.request.method == "POST"):
            row.locator("[data-name=pair]").fill("first")
            row.locator("[data-name=pair]").blur()
    page.reload()  # nothing is lost
    expect(page.locator("[data-name=method] >> nth=0")).to_have_value("lamp")
    expect(page.locator("[data-list=real] li").filter(has_text="0.mp4").locator("[data-name=pair]")).to_have_value(
        "first"
    )
    assert fits(page)
    page.get_by_label(words["name"]).fill(f"walk {language}")
    page.get_by_role("button", name=words["go"], exact=True).click()
    expect(page).to_have_url(re.compile(r"/acc/[\w-]+/$"))  # reloaded on the way there, no page would answer
    page.reload()  # and it goes on
    expect(page.get_by_role("heading", name=words["figures"], exact=True)).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_role("rowheader", name=words["caught"])).to_be_visible()
    expect(page.get_by_text(words["few"])).to_be_visible()
    expect(page.locator("svg[role=img]")).to_have_count(
        1 + 3 * 3
    )  # ROC; Space, Blend and all together: too short for Feature
    assert fits(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="JSON").click()
    assert '"paired_accuracy"' in download.value.path().read_text()
    page.goto("/acc/")
    expect(page.get_by_role("link", name=f"walk {language}", exact=True)).to_be_visible()


@pytest.mark.parametrize(("language", "words", "width"), [("en", ENGLISH, 390), ("zh-hans", CHINESE, 1280)])
def test_statistics_and_help_are_read(
    page: Page, site: Site, media: Path, tmp_path: Path, language: str, words: dict[str, str], width: int
) -> None:
    upload = samples.add_upload(media, samples.face_clip(tmp_path / "counted.mp4"))
    samples.finished_run(media, upload, modules=("space", "feature"))
    put_on(page, site, language, "dark", width)
    page.goto("/analysis/")
    expect(page.locator("#days canvas")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator("#scores canvas")).to_have_count(page.locator("#scores .chart").count(), timeout=PATIENCE_MS)
    page.get_by_text(words["table"]).first.click()
    expect(page.locator("details[open] tbody tr").first).to_be_visible()
    page.locator("#id_module").select_option("feature")
    page.locator("form.filters button").click()
    expect(page.locator("#scores .chart")).to_have_count(1, timeout=PATIENCE_MS)
    assert fits(page)
    page.goto("/help/")
    page.get_by_role("link", name=words["uncertain"]).click()
    expect(page.locator("#uncertain")).to_be_in_viewport()
    expect(page.locator("#figures table")).to_be_visible()
    assert fits(page)
