"""README.md and README.zh-CN.md say the same: a change of one that the other lacks is found here."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
ENGLISH, CHINESE = ("README.md", "README.zh-CN.md")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(name: str) -> list[tuple[str, list[str]]]:
    """The code blocks, without what explains a line of them; of the tree of folders only the names stay."""
    return [(language, list(_lines(language, body))) for language, body in FENCE.findall(text(name))]


def _lines(language: str, body: str) -> Iterator[str]:
    for line in body.splitlines():
        if language == "sh":
            yield re.sub(r"\s+# .*$", "", line)
        elif language:
            yield line
        else:
            yield " ".join(re.findall(r"[\w./]+(?:/|\.py)(?![\w/])", line))


def prose(name: str) -> str:
    return FENCE.sub("", text(name))


def headings(name: str) -> list[int]:
    return [len(marks) for marks in re.findall(r"^(#+) ", prose(name), re.MULTILINE)]


def codes(name: str) -> Counter[str]:
    return Counter(re.findall(r"`([^`]+)`", prose(name)))


def numbers(name: str) -> Counter[str]:
    plain = re.sub(r"`[^`]+`|\]\([^)]*\)|<[^>]*>", "", prose(name))
    return Counter(re.findall(r"\d+(?:[.,]\d+)*|\.\d+", plain))


def links(name: str) -> Counter[str]:
    found = Counter(re.findall(r"\]\(([^)#]+)[^)]*\)", prose(name)))
    return Counter({link: count for link, count in found.items() if link not in (ENGLISH, CHINESE)})


def rows(name: str) -> list[int]:
    """How many cells every row of every table has."""
    return [line.replace(r"\|", "").count("|") for line in prose(name).splitlines() if line.startswith("|")]


def variables(name: str) -> set[str]:
    return set(re.findall(r"\b(?:DEEPFAKE|RELITALK)_[A-Z0-9_]+", text(name)))


@pytest.mark.parametrize("part", [headings, codes, numbers, links, rows, variables, blocks])
def test_both_have_the_same(part: object) -> None:
    assert callable(part)
    english, chinese = part(ENGLISH), part(CHINESE)
    if isinstance(english, Counter):
        assert (english - chinese, chinese - english) == (Counter(), Counter())
    else:
        assert english == chinese


def test_each_links_to_the_other() -> None:
    assert f"]({CHINESE})" in text(ENGLISH)
    assert f"]({ENGLISH})" in text(CHINESE)


def test_every_variable_of_the_settings_is_told() -> None:
    read = set(re.findall(r'"((?:DEEPFAKE|RELITALK)_[A-Z0-9_]+)"', text("deepfake_site/settings.py")))
    assert read - variables(ENGLISH) == set()


def test_what_is_linked_is_there() -> None:
    missing = [link for link in links(ENGLISH) if "://" not in link and not (ROOT / link).exists()]
    assert missing == []
