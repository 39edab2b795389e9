"""How a report looks: one font that has Latin and Chinese letters and goes into the file, colours, styles, tables."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from django.utils.functional import Promise
from django.utils.translation import get_language
from reportlab import rl_config
from reportlab.lib.colors import Color, HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import CondPageBreak, Flowable, Paragraph, Table, TableStyle

from detection.records.schema import Verdict
from detection.web.facts import Fact

rl_config.useA85 = 0  # pictures as they are: written as text, they are a quarter larger and take most of the time

FONT = "WenQuanYiMicroHei"
LATIN = "Vera"  # comes with ReportLab
WIDE_IN_CHINESE = re.compile("[“”‘’…]")  # the Chinese font has them as wide as a Chinese letter
PAGE_WIDTH, PAGE_HEIGHT = A4
MARGIN = 18 * mm
WIDTH = PAGE_WIDTH - 2 * MARGIN

MAX_LETTERS = 700  # of one text: a cell of a table must fit on a page
INK, INK_2, LINE, SURFACE_2, ACCENT = (HexColor(c) for c in ("#1c1d21", "#5b5c63", "#e0dfda", "#f3f3f0", "#3a47b8"))
# Text and fill of each verdict: the light colours of static/css/site.css.
TEXT: dict[Verdict, Color] = {
    "fake": HexColor("#b03a0c"),
    "real": HexColor("#00694f"),
    "uncertain": HexColor("#7b5800"),
    "no_result": HexColor("#55575f"),
}
FILL: dict[Verdict, Color] = {
    "fake": HexColor("#dd6a33"),
    "real": HexColor("#2a9d7c"),
    "uncertain": HexColor("#e0b13c"),
    "no_result": HexColor("#9a9ba2"),
}
SOFT: dict[Verdict, Color] = {
    "fake": HexColor("#fdeee6"),
    "real": HexColor("#e3f4ee"),
    "uncertain": HexColor("#fdf4dc"),
    "no_result": HexColor("#eeeeec"),
}


def font_file() -> Path:
    """A collection of two fonts, of which the first has letters of different widths."""
    return Path(str(resources.files("paperang_p2_fonts_cjk"))) / "fonts" / "wqy-microhei.ttc"


@cache
def font() -> TTFont:
    """The font, registered with ReportLab. Its outlines are TrueType: ReportLab embeds no others, and so no Noto."""
    loaded = TTFont(FONT, str(font_file()), subfontIndex=0)
    pdfmetrics.registerFont(loaded)
    pdfmetrics.registerFontFamily(FONT, FONT, FONT, FONT, FONT)  # it has one weight
    pdfmetrics.registerFont(TTFont(LATIN, "Vera.ttf"))
    return loaded


def printable(text: str | Promise) -> str:
    """`text` on one line; what has no letter in the font, or could turn the line round, is named: [U+202E]."""
    return "".join(_letter(letter) for letter in _cut(" ".join(str(text).split())))


def _cut(text: str) -> str:
    return text if len(text) <= MAX_LETTERS else f"{text[:MAX_LETTERS]}…"


def _letter(letter: str) -> str:
    hidden = unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Co", "Cn")
    known = ord(letter) in font().face.charToGlyph
    return letter if known and not hidden else f"[U+{ord(letter):04X}]"


def _is_chinese() -> bool:
    return (get_language() or "").startswith("zh")


def style(size: float = 9, colour: Color = INK, **more: Any) -> ParagraphStyle:
    """Chinese is broken between any two letters, other languages between words."""
    options = {"leading": size * 1.45, "wordWrap": "CJK" if _is_chinese() else None, "splitLongWords": True} | more
    return ParagraphStyle("text", fontName=font().fontName, fontSize=size, textColor=colour, **options)


def text(words: str | Promise, size: float = 9, colour: Color = INK, **more: Any) -> Paragraph:
    """A paragraph of plain words: nothing in them is markup."""
    safe = escape(printable(words))
    if not _is_chinese():
        safe = WIDE_IN_CHINESE.sub(rf'<font face="{LATIN}">\g<0></font>', safe)
    return Paragraph(safe, style(size, colour, **more))


def heading(words: str | Promise) -> list[Flowable]:
    """Never at the foot of a page. What follows may be broken, which ReportLab's keepWithNext would not allow."""
    return [CondPageBreak(35 * mm), text(words, 12.5, ACCENT, spaceBefore=5 * mm, spaceAfter=2 * mm)]


def note(words: str | Promise) -> Paragraph:
    return text(words, 8, INK_2, spaceAfter=1.5 * mm)


def code(words: str) -> Paragraph:
    """A hash or a version: may be broken anywhere, in every language."""
    return text(words, 8, wordWrap="CJK")


def fact_table(facts: Sequence[Fact]) -> Table:
    rows = [[text(fact.name, 8.5, INK_2), code(fact.value) if fact.is_code else text(fact.value)] for fact in facts]
    return Table(rows, colWidths=[0.3 * WIDTH, 0.7 * WIDTH], style=TableStyle(PLAIN), hAlign="LEFT")


PLAIN: list[tuple[Any, ...]] = [
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ("LEFTPADDING", (0, 0), (0, -1), 0),
    ("TOPPADDING", (0, 0), (-1, -1), 1.2),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 1.8),
]
RULED: list[tuple[Any, ...]] = [
    *PLAIN,
    ("LINEBELOW", (0, 0), (-1, -1), 0.4, LINE),
    ("TOPPADDING", (0, 0), (-1, -1), 2.5),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
]


def ruled_table(head: Sequence[str | Promise], rows: Sequence[Sequence[Any]], widths: Sequence[float]) -> Table:
    """`widths` are shares of the page's; the head stands again on every page."""
    cells = [[text(words, 8, INK_2) for words in head], *rows]
    columns = [WIDTH * share / sum(widths) for share in widths]
    return Table(cells, colWidths=columns, style=TableStyle(RULED), repeatRows=1, hAlign="LEFT")
