"""The pictures of a key-frame video: what there is to see of one person at one moment, with words below."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import numpy as np
from django.utils.translation import gettext as _
from PIL import Image, ImageDraw, ImageFont

from detection.records.files import within
from detection.records.schema import Analysis, RunRecord, Verdict
from detection.vision import types
from detection.web import words
from detection.web.reports.looks import font_file, printable
from detection.web.result import KeyFrame
from detection.web.templatetags.deepfake import percent, timecode

WIDTH, HEIGHT = 1280, 600
MARGIN, GAP = 32, 16
TOP, SIDE = 64, 400
MAX_PICTURES = 4
GROUND, INK, INK_2 = "#131417", "#ececee", "#a9abb3"
# The dark colours of static/css/site.css.
TEXT: dict[Verdict, str] = {"fake": "#ff9b6b", "real": "#5fd0ac", "uncertain": "#ecc45f", "no_result": "#b4b6be"}


def slides(run: RunRecord, analysis: Analysis, folder: Path, frames: Sequence[KeyFrame]) -> Iterator[types.Image]:
    """RGB pictures (HEIGHT, WIDTH, 3): first what the video says of itself, then one for every key frame."""
    yield _first(run, analysis)
    for number, frame in enumerate(frames, 1):
        yield _slide(run, folder, frame, f"{number} / {len(frames)}")


def _first(run: RunRecord, analysis: Analysis) -> types.Image:
    sheet, draw = _sheet()
    _write(draw, (MARGIN, 150), _("Key frames"), 30, INK_2)
    _write(draw, (MARGIN, 200), run.video_name, 44)
    score = f" · {percent(analysis.score)}" if analysis.score is not None else ""
    _write(draw, (MARGIN, 275), f"{words.VERDICTS[analysis.verdict].headline}{score}", 32, TEXT[analysis.verdict])
    _write(draw, (MARGIN, 350), f"SHA-256 {run.sha256}", 24, INK_2)
    _write(draw, (MARGIN, 390), _("Run") + f" {run.id}", 24, INK_2)
    _write(draw, (MARGIN, 500), str(words.LIMITS[0]), 24, INK_2)
    return np.asarray(sheet)


def _slide(run: RunRecord, folder: Path, frame: KeyFrame, number: str) -> types.Image:
    sheet, draw = _sheet()
    _write(draw, (MARGIN, 18), _("Person %s") % frame.person + f" · {timecode(frame.time_s)}", 26)
    _write(draw, (WIDTH - MARGIN, 22), number, 20, INK_2, anchor="ra")
    pictures = frame.pictures[:MAX_PICTURES]
    side = min(SIDE, (WIDTH - 2 * MARGIN - GAP * (len(pictures) - 1)) // len(pictures))
    for index, picture in enumerate(pictures):
        x = MARGIN + index * (side + GAP)
        if (loaded := _loaded(folder, picture.path, side)) is not None:
            sheet.paste(loaded, (x + (side - loaded.width) // 2, TOP + (side - loaded.height) // 2))
        _write(draw, (x, TOP + side + 6), picture.words.title, 20, INK_2, width=side)
    y = TOP + side + 44
    x = MARGIN
    for each in frame.verdicts:
        x += _write(draw, (x, y), each.words, 22, TEXT[each.verdict], width=WIDTH - MARGIN - x) + 32
    if frame.why:
        _write(draw, (MARGIN, HEIGHT - 54), _("Chosen:") + " " + words.listed(frame.why), 20, INK_2, width=700)
    name = _short(run.video_name, 20, WIDTH - 2 * MARGIN - 720)
    _write(draw, (WIDTH - MARGIN, HEIGHT - 54), name, 20, INK_2, anchor="ra")
    return np.asarray(sheet)


def _sheet() -> tuple[Image.Image, ImageDraw.ImageDraw]:
    sheet = Image.new("RGB", (WIDTH, HEIGHT), GROUND)
    return sheet, ImageDraw.Draw(sheet)


def _loaded(folder: Path, path: str, side: int) -> Image.Image | None:
    """A picture of the run's own folder, as large as fits; None for one that is gone or damaged."""
    file = within(folder, path)
    if file is None:
        return None
    try:
        with Image.open(file) as picture:
            factor = side / max(picture.size)
            size = (max(1, round(picture.width * factor)), max(1, round(picture.height * factor)))
            return picture.convert("RGB").resize(size, Image.Resampling.LANCZOS)
    except (OSError, SyntaxError):
        return None


def _write(
    draw: ImageDraw.ImageDraw,
    at: tuple[int, int],
    text: words.Text,
    size: int,
    colour: str = INK,
    *,
    width: int = WIDTH - 2 * MARGIN,
    anchor: str = "la",
) -> int:
    """One line, shortened to `width`; gives how wide it became."""
    line = _short(str(text), size, width)
    draw.text(at, line, font=_font(size), fill=colour, anchor=anchor)
    return round(_font(size).getlength(line))


def _short(text: str, size: int, width: int) -> str:
    line = printable(text)
    if _font(size).getlength(line) <= width:
        return line
    while line and _font(size).getlength(f"{line}…") > width:
        line = line[:-1]
    return f"{line}…"


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(font_file()), size, index=0)
