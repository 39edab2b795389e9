"""Charts as numbers for SVG: drawn by the server, so they need no script and print well."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import get_args

from detection.records.schema import Verdict

WIDTH, HEIGHT = 600, 170
DAYS_SHOWN = 30


@dataclass(frozen=True)
class Bar:
    """One rectangle; `kind` is its CSS class, `label` what it says when pointed at."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    label: str


@dataclass(frozen=True)
class Chart:
    """Bars in a field of WIDTH × HEIGHT, with labels (x, text) below and the value of the highest bar."""

    bars: tuple[Bar, ...]
    labels: tuple[tuple[float, str], ...]
    highest: int
    width: int = WIDTH
    height: int = HEIGHT
    last_label_x: int = WIDTH - 20  # a label behind it ends there, lest it be cut off


def histogram(counts: tuple[int, ...]) -> Chart:
    """Scores in equal bins from 0 to 1."""
    step, highest = WIDTH / len(counts), max(*counts, 1)
    bars = []
    for index, count in enumerate(counts):
        height = HEIGHT * count / highest
        low, high = 100 * index / len(counts), 100 * (index + 1) / len(counts)
        label = f"{low:.0f}–{high:.0f} %: {count}"
        bars.append(Bar(index * step + 1, HEIGHT - height, step - 2, height, "plain", label))
    labels = tuple((WIDTH * share / 100, f"{share} %") for share in (0, 25, 50, 75, 100))
    return Chart(tuple(bars), labels, highest)


def days(verdicts: dict[str, dict[Verdict, int]]) -> Chart | None:
    """Verdicts of the last DAYS_SHOWN days up to the latest one that has any, stacked."""
    if not verdicts:
        return None
    last = date.fromisoformat(max(verdicts))
    shown = [last - timedelta(days=back) for back in reversed(range(DAYS_SHOWN))]
    highest = max(sum(verdicts.get(day.isoformat(), {}).values()) for day in shown) or 1
    step = WIDTH / DAYS_SHOWN
    bars: list[Bar] = []
    for index, day in enumerate(shown):
        top = float(HEIGHT)
        for verdict in get_args(Verdict):
            count = verdicts.get(day.isoformat(), {}).get(verdict, 0)
            if count:
                height = HEIGHT * count / highest
                top -= height
                bars.append(Bar(index * step + 1, top, step - 2, height, verdict, f"{day}: {count}"))
    labels = tuple(((index + 0.5) * step, f"{shown[index]:%m-%d}") for index in range(1, DAYS_SHOWN, 7))
    return Chart(tuple(bars), labels, highest)
