"""Scores over time: the data of the timelines, and the moments that are worth a look."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Any

from detection.records.schema import Analysis, FrameScore, ModuleOutcome, Verdict
from detection.web.module_pages import module_page

MAX_MOMENTS = 6
MIN_GAP_S = 1.0  # scores that are nearer than this belong to one moment


@dataclass(frozen=True)
class Moment:
    """A stretch in which one module's scores of a person are the highest."""

    module: str
    person: int
    start_s: float
    end_s: float
    score: float
    verdict: Verdict


def moments(analysis: Analysis) -> list[Moment]:
    """The stretches with the highest scores, worst first; where no score is high, the highest single frames."""
    found: list[Moment] = []
    for outcome in analysis.modules.values():
        if outcome.thresholds is None:
            continue
        high = [point for point in outcome.timeline if point.score >= outcome.thresholds.fake_from]
        points = high or sorted(outcome.timeline, key=lambda point: -point.score)[:3]
        found += [_moment(outcome, stretch) for stretch in _stretches(points, _usual_gap_s(outcome.timeline))]
    return sorted(found, key=lambda moment: -moment.score)[:MAX_MOMENTS]


def _stretches(points: list[FrameScore], gap_s: float) -> Iterator[list[FrameScore]]:
    """Points of one person that are at most `gap_s` apart belong together."""
    stretch: list[FrameScore] = []
    for point in sorted(points, key=lambda point: (point.person, point.time_s)):
        if stretch and (point.person != stretch[-1].person or point.time_s - stretch[-1].time_s > gap_s):
            yield stretch
            stretch = []
        stretch.append(point)
    if stretch:
        yield stretch


def _usual_gap_s(timeline: tuple[FrameScore, ...]) -> float:
    """One and a half of the usual step between scores: a frame that was left out does not end a moment."""
    in_order = sorted(timeline, key=lambda point: (point.person, point.time_s))
    steps = [b.time_s - a.time_s for a, b in pairwise(in_order) if a.person == b.person]
    return max(MIN_GAP_S, 1.5 * median(steps)) if steps else MIN_GAP_S


def _moment(outcome: ModuleOutcome, stretch: list[FrameScore]) -> Moment:
    peak = max(point.score for point in stretch)
    verdict = outcome.thresholds.verdict(peak) if outcome.thresholds else "no_result"
    return Moment(outcome.key, stretch[0].person, stretch[0].time_s, stretch[-1].time_s, peak, verdict)


@dataclass(frozen=True)
class Bar:
    """A stretch of time, also as shares of the video's duration for SVG."""

    start_s: float
    end_s: float
    x: str
    width: str


def lanes(analysis: Analysis) -> list[tuple[int, list[Bar]]]:
    """When each person is to be seen; empty where the video's duration is not known."""
    duration_s = analysis.duration_s or 0.0
    if duration_s <= 0:
        return []
    return [
        (
            person.id,
            [
                Bar(
                    span.start_s,
                    span.end_s,
                    f"{100 * span.start_s / duration_s:.2f}%",
                    f"{max(100 * (span.end_s - span.start_s) / duration_s, 0.4):.2f}%",
                )
                for span in person.spans
            ],
        )
        for person in analysis.people
    ]


def timeline(analysis: Analysis) -> dict[str, Any]:
    """For static/js/timeline.js: per module its thresholds and, per person, times in seconds and scores."""
    modules = {}
    for key, outcome in analysis.modules.items():
        people: dict[int, dict[str, list[float]]] = {}
        for point in sorted(outcome.timeline, key=lambda point: point.time_s):
            line = people.setdefault(point.person, {"times": [], "scores": []})
            line["times"].append(round(point.time_s, 3))
            line["scores"].append(round(point.score, 4))
        if people:
            limits = outcome.thresholds
            modules[key] = {
                "realBelow": limits.real_below if limits else None,
                "fakeFrom": limits.fake_from if limits else None,
                "people": dict(sorted(people.items())),
            }
    names = {key: str(module_page(key).title) for key in modules}
    worst = sorted({round(moment.start_s, 3) for moment in moments(analysis)})
    return {"duration": analysis.duration_s or 0, "modules": modules, "names": names, "worst": worst}


def without_timeline(analysis: Analysis) -> list[str]:
    """The modules that gave a score for a person as a whole, but none frame by frame."""
    return [key for key, outcome in analysis.modules.items() if outcome.score is not None and not outcome.timeline]
