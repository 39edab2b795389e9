"""The figures that the project publishes of itself, read from where they are published: the README in the reader's
language. So a page cannot say something else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.utils.translation import get_language

from detection.modules import MODULES
from detection.web.templatetags.deepfake import module_name

HEADER = re.compile(r"^\| *\|(?: *Space[^|]*\| *Feature[^|]*\| *Blend[^|]*\|[^\n]*)$", re.MULTILINE)


@dataclass(frozen=True)
class PublishedTable:
    """Cells of text; the first of each row names what the others say."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def figures() -> PublishedTable | None:
    """The table of figures per module; None where the README does not come with the program."""
    name = "README.zh-CN.md" if get_language() == "zh-hans" else "README.md"
    path = Path(settings.BASE_DIR) / name
    return table_in(path.read_text(encoding="utf-8")) if path.is_file() else None


def table_in(text: str) -> PublishedTable | None:
    found = HEADER.search(text)
    if found is None:
        return None
    lines = [line for line in text[found.start() :].split("\n\n", 1)[0].splitlines() if line.startswith("|")]
    header, _rule, *rows = (tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines)
    return PublishedTable(
        tuple(module_name(cell.lower()) if cell.lower() in MODULES else cell for cell in header), tuple(rows)
    )
