from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import translation

from detection.web.following import STAGES
from detection.web.templatetags.deepfake import duration, queue_place
from detection.web.words import CREDENTIALS, LIMITS, PICTURES, REASONS, STATES, VERDICTS, WHY, unit_words

CATALOGUE = Path(settings.BASE_DIR) / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
needs_gettext = pytest.mark.skipif(not shutil.which("msgfmt"), reason="GNU gettext is not installed")


def test_the_language_is_switched_and_kept(client: Client) -> None:
    assert '<html lang="en"' in client.get("/help/").content.decode()
    client.post(reverse("set_language"), {"language": "zh-hans", "next": "/help/"})
    chinese = client.get("/help/").content.decode()
    assert '<html lang="zh-hans"' in chinese
    assert "帮助" in chinese


def test_the_browsers_language_is_taken(client: Client) -> None:
    page = client.get("/help/", headers={"Accept-Language": "zh-CN,zh;q=0.9"}).content.decode()
    assert '<html lang="zh-hans"' in page


def test_every_word_of_a_result_has_its_chinese() -> None:
    texts = [*STATES.values(), *STAGES.values(), *WHY.values(), *LIMITS]
    for group in (VERDICTS, REASONS, PICTURES, CREDENTIALS):
        texts += [text for words in group.values() for text in vars(words).values()]
    with translation.override("zh-hans"):
        assert [str(text) for text in texts if not re.search("[一-鿿]", str(text))] == []


@pytest.mark.parametrize(
    ("language", "seconds", "expected"),
    [
        ("en", 3725, "1 h 2 min"),
        ("en", 7200, "2 h"),
        ("en", 65, "1 min 5 s"),
        ("en", 4.25, "4.2 s"),
        ("zh-hans", 65, "1 分 5 秒"),
    ],
)
def test_durations(language: str, seconds: float, expected: str) -> None:
    with translation.override(language):
        assert duration(seconds) == expected


def test_units_are_words() -> None:
    with translation.override("zh-hans"):
        assert (str(unit_words("grey levels")), str(unit_words("×"))) == ("灰度级", "×")


def test_plurals() -> None:
    assert queue_place(2) == "1 video is before this one"
    assert queue_place(4) == "3 videos are before this one"
    with translation.override("zh-hans"):
        assert queue_place(4) == "前面还有 3 个视频"


@needs_gettext
def test_the_compiled_catalogue_is_that_of_the_source() -> None:
    compiled = subprocess.run(["msgfmt", "-o", "-", CATALOGUE], capture_output=True, check=True).stdout
    assert compiled == CATALOGUE.with_suffix(".mo").read_bytes()


@needs_gettext
def test_nothing_is_left_untranslated() -> None:
    command = ["msgattrib", "--untranslated", "--no-obsolete", CATALOGUE]
    assert subprocess.run(command, capture_output=True, check=True, text=True).stdout == ""


def test_no_line_ends_between_a_figure_and_its_percent_sign() -> None:
    """A no-break space stands between them, in both languages."""
    texts = re.findall(r'^(?:msg\w+(?:\[\d\])? )?"(.*)"$', CATALOGUE.read_text(encoding="utf-8"), re.MULTILINE)
    assert [text for text in texts if re.search(r"(\d|%\(\w+\)[sd]|%[sd]) %", text)] == []
