"""Plots as SVG text: no script, no style sheet, no font or picture from elsewhere.

Colours are attributes (`currentColor` for lines and words), so a plot shows in a page of either lightness, and also in
one whose content security policy forbids inline styles.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil

from detection.evaluation.metrics import Figure
from detection.evaluation.summary import HISTOGRAM_BINS, Family, JudgeReport

# Told apart also by people who see red and green alike (Okabe & Ito).
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00")
GENUINE_COLOUR, FAKE_COLOUR = COLOURS[0], COLOURS[1]

SIDE = 240  # of a square field
LEFT, TOP, RIGHT, BOTTOM = 44, 12, 14, 40
ROW = 26
NAMES_WIDTH = 250
TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True)
class PlotWords:
    """The words of the plots; a page in another language gives its own. `judge` names a judge for people."""

    roc: str = "ROC curves"
    reliability: str = "Reliability of %s"
    scores: str = "Scores of %s"
    methods: str = "AUC by method"
    false_alarms: str = "false alarms"
    caught: str = "fakes caught"
    score: str = "score"
    share_of_fakes: str = "share of fakes"
    clips: str = "clips"
    genuine: str = "genuine"
    fake: str = "fake"
    against_genuine: str = "AUC against all genuine clips"
    dot: str = "%(clips)d clips, score %(score).2f, fakes %(share).2f"
    judge: Callable[[str], str] = str


ENGLISH = PlotWords()


def roc_plot(reports: Sequence[JudgeReport], words: PlotWords = ENGLISH) -> str:
    """The ROC curves of the judges over one another."""
    shown = [report for report in reports if report.roc]
    parts = [*_field(words.false_alarms, words.caught), _line([(0, 0), (1, 1)], "currentColor", 1, dashes="3 4")]
    for number, report in enumerate(shown):
        colour = COLOURS[number % len(COLOURS)]
        parts.append(_line(report.roc, colour, 2))
        y = TOP + SIDE - 10 - 15 * (len(shown) - 1 - number)
        parts.append(_text(LEFT + SIDE - 8, y, _named(words.judge(report.judge), report.figures["auc"]), "end", colour))
    return _svg(LEFT + SIDE + RIGHT, TOP + SIDE + BOTTOM, parts, words.roc)


def reliability_plot(report: JudgeReport, words: PlotWords = ENGLISH) -> str:
    """Share of fakes against mean score, bin by bin; the area of a dot grows with its clips."""
    most = max((point.clips for point in report.reliability), default=1)
    points = [(point.mean_score, point.share_fake) for point in report.reliability]
    parts = [*_field(words.score, words.share_of_fakes), _line([(0, 0), (1, 1)], "currentColor", 1, dashes="3 4")]
    parts.append(_line(points, COLOURS[0], 1.5))
    for point in report.reliability:
        x, y = _place(point.mean_score, point.share_fake)
        radius = 2.5 + 6.5 * (point.clips / most) ** 0.5
        told = words.dot % {"clips": point.clips, "score": point.mean_score, "share": point.share_fake}
        parts.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" fill="{COLOURS[0]}" fill-opacity=".6">'
            f"<title>{escape(told)}</title></circle>"
        )
    return _svg(LEFT + SIDE + RIGHT, TOP + SIDE + BOTTOM, parts, words.reliability % words.judge(report.judge))


def histogram_plot(report: JudgeReport, words: PlotWords = ENGLISH) -> str:
    """How many genuine clips and fakes got which score, side by side, with the thresholds."""
    highest = 4 * ceil(max(*report.histogram_fake, *report.histogram_real, 1) / 4)  # each quarter is whole clips
    step = SIDE / HISTOGRAM_BINS
    parts = [*_field(words.score, words.clips, highest)]
    for shift, colour, counts in (
        (0.0, GENUINE_COLOUR, report.histogram_real),
        (step / 2, FAKE_COLOUR, report.histogram_fake),
    ):
        for number, count in enumerate(counts):
            if count:
                x, y = LEFT + number * step + shift, TOP + SIDE * (1 - count / highest)
                parts.append(
                    f'<rect x="{x:.1f}" y="{y:.1f}" width="{step / 2 - 0.5:.1f}" height="{TOP + SIDE - y:.1f}" '
                    f'fill="{colour}"><title>{count}</title></rect>'
                )
    if report.thresholds:
        for value in {report.thresholds.real_below, report.thresholds.fake_from}:
            parts.append(_line([(value, 0), (value, 1)], "currentColor", 1, dashes="5 3"))
    below = TOP + SIDE + 33  # beside the name of the axis: in the field they would hide bars, or be hidden
    parts.append(_text(LEFT, below, f"■ {words.genuine}", "start", GENUINE_COLOUR))
    parts.append(_text(LEFT + SIDE, below, f"■ {words.fake}", "end", FAKE_COLOUR))
    return _svg(LEFT + SIDE + RIGHT, TOP + SIDE + BOTTOM, parts, words.scores % words.judge(report.judge))


def family_plot(families: Sequence[Family], words: PlotWords = ENGLISH, colour: str = COLOURS[0]) -> str:
    """The AUC of each family as a bar with its interval."""
    parts = []
    bottom = TOP + ROW * len(families)
    for tick in TICKS:
        x = NAMES_WIDTH + SIDE * tick
        parts.append(f'<path d="M{x:.1f} {TOP}V{bottom}" stroke="currentColor" stroke-opacity=".2"/>')
        parts.append(_text(x, bottom + 16, f"{tick:g}", "middle"))
    for number, family in enumerate(families):
        y, figure = TOP + ROW * number, family.figures["auc"]
        parts.append(_text(NAMES_WIDTH - 8, y + 17, f"{_cut(family.name)} ({family.fakes})", "end"))
        if figure.value is None or figure.low is None or figure.high is None:
            continue
        low, high = NAMES_WIDTH + SIDE * figure.low, NAMES_WIDTH + SIDE * figure.high
        parts.append(
            f'<rect x="{NAMES_WIDTH}" y="{y + 5}" width="{SIDE * figure.value:.1f}" height="{ROW - 10}" '
            f'fill="{colour}" fill-opacity=".75"><title>{escape(_named(family.name, figure))}</title></rect>'
            f'<path d="M{low:.1f} {y + ROW / 2}H{high:.1f}M{low:.1f} {y + 8}v{ROW - 16}M{high:.1f} {y + 8}v{ROW - 16}" '
            'stroke="currentColor" stroke-width="1.5"/>'
        )
    parts.append(_text(NAMES_WIDTH + SIDE / 2, bottom + 32, words.against_genuine, "middle"))
    return _svg(NAMES_WIDTH + SIDE + RIGHT, bottom + BOTTOM, parts, words.methods)


def _field(x_label: str, y_label: str, y_top: float = 1.0) -> Iterable[str]:
    """Frame, grid and ticks of a unit square; `y_top` is what its upper edge stands for."""
    for tick in TICKS:
        x, y = _place(tick, tick)
        yield (
            f'<path d="M{x:.1f} {TOP}V{TOP + SIDE}M{LEFT} {y:.1f}H{LEFT + SIDE}" stroke="currentColor" '
            'stroke-opacity=".2" fill="none"/>'
        )
        yield _text(x, TOP + SIDE + 16, f"{tick:g}", "middle")
        yield _text(LEFT - 6, y + 4, f"{tick * y_top:g}", "end")
    yield _text(LEFT + SIDE / 2, TOP + SIDE + 33, x_label, "middle")
    yield (
        f'<text transform="translate(11 {TOP + SIDE / 2}) rotate(-90)" text-anchor="middle" font-size="12" '
        f'fill="currentColor">{escape(y_label)}</text>'
    )


def _place(x: float, y: float) -> tuple[float, float]:
    return LEFT + SIDE * x, TOP + SIDE * (1 - y)


def _line(points: Sequence[tuple[float, float]], colour: str, width: float, dashes: str = "none") -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (_place(*point) for point in points))
    return (
        f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}" stroke-dasharray="{dashes}"/>'
    )


def _text(x: float, y: float, words: str, anchor: str, colour: str = "currentColor") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="12" fill="{colour}">{escape(words)}</text>'


def _named(name: str, figure: Figure) -> str:
    return name if figure.value is None else f"{name} {figure.value:.2f}"


def _cut(name: str, limit: int = 34) -> str:
    return name if len(name) <= limit else f"{name[: limit - 1]}…"


def _svg(width: float, height: float, parts: Iterable[str], title: str) -> str:
    return (
        f'<svg viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}" role="img" '
        f'aria-label="{escape(title)}" xmlns="http://www.w3.org/2000/svg" font-family="inherit">{"".join(parts)}</svg>'
    )
