"""The pictures that a report draws itself: the score on its scale, and scores over time."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from reportlab.graphics.shapes import Circle, Drawing, Line, PolyLine, Rect, String
from reportlab.lib.colors import Color, HexColor, white

from detection.records.schema import FrameScore, Thresholds, Verdict
from detection.web.reports.looks import FILL, INK_2, LINE, SOFT, TEXT, font, printable
from detection.web.templatetags.deepfake import percent, timecode

# One line per person, told apart by dashes too: the first four are those of static/js/timeline.js.
COLOURS = [HexColor(colour) for colour in ("#3a47b8", "#a3346b", "#1b6f8a", "#6b5200")]
DASHES: list[list[int] | None] = [None, [6, 3], [2, 3], [10, 3, 2, 3]]
AXIS_WIDTH = 32
STEPS_S = (0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400)
MAX_TICKS = 9
MARKED_UP_TO = 40  # scores of a line; more would run into each other


def label(
    x: float, y: float, words: str, *, size: float = 7.5, colour: Color = INK_2, anchor: str = "middle"
) -> String:
    return String(x, y, printable(words), fontName=font().fontName, fontSize=size, fillColor=colour, textAnchor=anchor)


def scale(width: float, score: float, limits: Thresholds | None, verdict: Verdict, ends: tuple[str, str]) -> Drawing:
    """The score from 0 (genuine) to 1 (forged) with the thresholds; `ends` are the words at both ends."""
    drawing = Drawing(width, 52)
    if limits:
        bounds = (0.0, limits.real_below, limits.fake_from, 1.0)
        zones: tuple[Verdict, ...] = ("real", "uncertain", "fake")
        for zone, start, end in zip(zones, bounds, bounds[1:], strict=False):
            drawing.add(Rect(start * width, 22, (end - start) * width, 9, fillColor=FILL[zone], strokeColor=None))
        for limit, anchor, shift in ((limits.real_below, "end", -3), (limits.fake_from, "start", 3)):
            drawing.add(Line(limit * width, 17, limit * width, 33, strokeColor=INK_2, strokeWidth=0.6))
            drawing.add(label(limit * width + shift, 12, percent(limit), anchor=anchor))
    else:
        drawing.add(Rect(0, 22, width, 9, fillColor=LINE, strokeColor=None))
    x = score * width
    anchor = "start" if score < 0.06 else "end" if score > 0.94 else "middle"
    drawing.add(Circle(x, 26.5, 5.5, fillColor=white, strokeColor=TEXT[verdict], strokeWidth=2.5))
    drawing.add(label(x, 39, percent(score), size=11, colour=TEXT[verdict], anchor=anchor))
    drawing.add(label(0, 1, f"← {ends[0]}", anchor="start"))
    drawing.add(label(width, 1, f"{ends[1]} →", anchor="end"))
    return drawing


def timeline(
    width: float, height: float, points: Sequence[FrameScore], limits: Thresholds | None, duration_s: float
) -> Drawing:
    """Scores of one module over time, a line per person, before the zones of the verdicts."""
    drawing = Drawing(width, height)
    left, bottom = AXIS_WIDTH, 14
    across, up = width - left - 6, height - bottom - 6
    end_s = max([duration_s, *(point.time_s for point in points)]) or 1.0
    if limits:
        bounds = (0.0, limits.real_below, limits.fake_from, 1.0)
        zones: tuple[Verdict, ...] = ("real", "uncertain", "fake")
        for zone, low, high in zip(zones, bounds, bounds[1:], strict=False):
            drawing.add(
                Rect(left, bottom + low * up, across, (high - low) * up, fillColor=SOFT[zone], strokeColor=None)
            )
    for share in (0.0, 0.5, 1.0):
        y = bottom + share * up
        drawing.add(Line(left, y, left + across, y, strokeColor=LINE, strokeWidth=0.5))
        drawing.add(label(left - 4, y - 2.5, f"{100 * share:.0f}\u00a0%", size=7, anchor="end"))
    for time_s in ticks(end_s):
        x = left + across * time_s / end_s
        drawing.add(Line(x, bottom - 2, x, bottom, strokeColor=INK_2, strokeWidth=0.5))
        drawing.add(label(x, 2, timecode(time_s), size=7))
    for index, person in enumerate(sorted({point.person for point in points})):
        line = sorted((p.time_s, p.score) for p in points if p.person == person)
        at = [(left + across * time_s / end_s, bottom + up * score) for time_s, score in line]
        _add_line(drawing, at, *_line(index))
    return drawing


def _line(index: int) -> tuple[Color, list[int] | None]:
    """Sixteen that differ."""
    return COLOURS[index % 4], DASHES[(index + index // 4) % 4]


def _add_line(drawing: Drawing, at: list[tuple[float, float]], colour: Color, dash: list[int] | None) -> None:
    flat = [number for point in at for number in point]
    if len(at) > 1:
        drawing.add(PolyLine(flat, strokeColor=colour, strokeWidth=1.1, strokeDashArray=dash))
    if len(at) <= MARKED_UP_TO:
        for x, y in at:
            drawing.add(Circle(x, y, 1.3, fillColor=colour, strokeColor=None))


def sample(index: int) -> Drawing:
    """What the line of the index-th person looks like."""
    drawing = Drawing(26, 7)
    colour, dash = _line(index)
    drawing.add(Line(0, 3, 26, 3, strokeColor=colour, strokeWidth=1.4, strokeDashArray=dash))
    return drawing


def ticks(end_s: float) -> list[float]:
    """Round moments from 0 to `end_s`, at most MAX_TICKS of them and the one at 0."""
    step = next((step for step in STEPS_S if end_s / step <= MAX_TICKS), ceil(end_s / MAX_TICKS))
    return [number * step for number in range(int(end_s / step) + 1)]
