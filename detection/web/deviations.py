"""Measured features beside the range of genuine faces, as numbers for SVG."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from detection.records.schema import Deviation, ModuleOutcome
from detection.web.templatetags.deepfake import NO_BREAK, per_cent


@dataclass(frozen=True)
class DeviationCard:
    """A measured feature beside the range of genuine faces, as shares of the drawn width.

    `reach` is 0 in the middle of the genuine range, 1 at its edges, more outside. The series spans `from_s` to `to_s`.
    """

    deviation: Deviation
    reach: float
    genuine_x: str
    genuine_width: str
    value_x: str
    points: str
    series_low_y: str
    series_height: str
    from_s: float
    to_s: float

    @property
    def beyond(self) -> str:
        """How far outside the genuine range, as a share of its width; empty inside, or where it has no width."""
        if not 1 < self.reach < inf:
            return ""
        share = 50 * (self.reach - 1)
        return per_cent(share) if share >= 1 else f"<{NO_BREAK}{per_cent(1)}"


@dataclass(frozen=True)
class Deviations:
    """All features of one module: those outside the genuine range, and those within, each the furthest first."""

    outside: tuple[DeviationCard, ...]
    inside: tuple[DeviationCard, ...]

    def __bool__(self) -> bool:
        return bool(self.outside or self.inside)


def deviations(outcome: ModuleOutcome) -> Deviations:
    ordered = sorted(outcome.deviations, key=lambda d: (-reach(d), d.person, d.feature))
    cards = [_card(deviation) for deviation in ordered]
    return Deviations(
        tuple(card for card in cards if card.deviation.deviates),
        tuple(card for card in cards if not card.deviation.deviates),
    )


def reach(deviation: Deviation) -> float:
    """How far from the middle of the genuine range, in halves of its width."""
    half = (deviation.genuine_high - deviation.genuine_low) / 2
    distance = abs(deviation.value - deviation.genuine_low - half)
    if half > 0:
        return distance / half
    return inf if distance else 0.0


def _card(deviation: Deviation) -> DeviationCard:
    low, high = deviation.genuine_low, deviation.genuine_high
    values = [low, high, deviation.value]
    left, width = min(values), (max(values) - min(values)) or 1.0
    left, width = left - 0.1 * width, 1.2 * width

    def share(value: float) -> float:
        return 100 * (value - left) / width

    bottom, height = _extent([low, high, *deviation.series])
    first, span = _extent(list(deviation.times_s))
    points = " ".join(
        f"{100 * (time - first) / span:.2f},{100 - 100 * (value - bottom) / height:.2f}"
        for time, value in zip(deviation.times_s, deviation.series, strict=False)
    )
    return DeviationCard(
        deviation=deviation,
        reach=reach(deviation),
        genuine_x=f"{share(low):.2f}%",
        genuine_width=f"{share(high) - share(low):.2f}%",
        value_x=f"{share(deviation.value):.2f}%",
        points=points,
        series_low_y=f"{100 - 100 * (high - bottom) / height:.2f}",
        series_height=f"{100 * (high - low) / height:.2f}",
        from_s=first,
        to_s=first + span,
    )


def _extent(values: list[float]) -> tuple[float, float]:
    """The smallest value and the extent, never 0."""
    return (min(values), (max(values) - min(values)) or 1.0) if values else (0.0, 1.0)
