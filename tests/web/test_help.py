"""The help: all that is asked for is there, and its figures are those that are published."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from detection.web import published

README = Path(settings.BASE_DIR) / "README.md"


def test_every_part_is_there_and_linked(client: Client) -> None:
    page = client.get("/help/").content.decode()
    linked = re.findall(r'<li><a href="#([\w-]+)">', page)
    assert linked == ["reading", "uncertain", "modules", "figures", "limits", "pictures", "no-result", "keys", "adding"]
    assert [name for name in linked if f'id="{name}"' not in page] == []


def test_the_figures_are_the_readmes(client: Client) -> None:
    page = client.get("/help/").content.decode()
    (fused,) = re.findall(r"^\| AUC \|.*\| (\S+ \[[^|]*\]) \|$", README.read_text(), re.MULTILINE)
    assert f">{fused}</td>" in page


@pytest.mark.parametrize("text", ["", "| | Space | other |\n| --- | --- | --- |\n| AUC | 1 | 1 |\n"])
def test_a_readme_without_the_table_leaves_it_out(text: str) -> None:
    assert published.table_in(text) is None


def test_the_page_says_how_each_module_works(client: Client) -> None:
    client.cookies["django_language"] = "zh-hans"
    page = client.get("/help/").content.decode()
    for words in ("网络逐一查看每张脸", "鼻子和轮廓的抖动", "第二个网络画出"):
        assert words in page


def test_the_figures_name_the_modules_as_the_other_pages_do(client: Client) -> None:
    client.cookies["django_language"] = "zh-hans"
    page = client.get("/help/").content.decode()
    heads = re.findall(r'<th scope="col" role="columnheader" class="text-end">([^<]+)</th>', page)
    assert heads[:3] == ["空域", "特征", "野外光照"]
