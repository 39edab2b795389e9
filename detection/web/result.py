"""A finished run as its page shows it: people, evidence side by side, moments worth a look, the timeline's data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Any

from django.urls import reverse

from detection.records.schema import (
    Analysis,
    Deviation,
    Evidence,
    FrameScore,
    ModuleOutcome,
    PersonOutcome,
    RunRecord,
    Verdict,
)
from detection.web.module_pages import module_page
from detection.web.words import PictureWords, picture_words

MAX_MOMENTS = 6
MIN_GAP_S = 1.0  # scores that are nearer than this belong to one moment


@dataclass(frozen=True)
class Picture:
    """One picture of a key frame."""

    words: PictureWords
    url: str


@dataclass(frozen=True)
class FrameVerdict:
    """What a module says of one face in one frame."""

    module: str
    score: float
    verdict: Verdict


@dataclass(frozen=True)
class KeyFrame:
    """What there is to see of one person at one moment: the plain picture first, then what the modules found in it."""

    person: int
    time_s: float
    verdicts: tuple[FrameVerdict, ...]
    pictures: tuple[Picture, ...]


@dataclass(frozen=True)
class ModuleScore:
    key: str
    score: float | None
    verdict: Verdict
    outcome: ModuleOutcome


@dataclass(frozen=True)
class PersonCard:
    """One person: the verdict, the time in the video, and what each module says."""

    outcome: PersonOutcome
    portrait: str | None
    modules: tuple[ModuleScore, ...]

    @property
    def visible_s(self) -> float:
        return sum(span.end_s - span.start_s for span in self.outcome.spans)


@dataclass(frozen=True)
class Moment:
    """A stretch in which one module's scores of a person are the highest."""

    module: str
    person: int
    start_s: float
    end_s: float
    score: float
    verdict: Verdict


@dataclass(frozen=True)
class DeviationCard:
    """A measured feature beside the range of genuine faces, as shares of the drawn width."""

    deviation: Deviation
    genuine_x: str
    genuine_width: str
    value_x: str
    points: str
    series_low_y: str
    series_height: str


def person_cards(record: RunRecord, analysis: Analysis) -> list[PersonCard]:
    return [
        PersonCard(
            outcome=person,
            portrait=_url(record, person.portrait) if person.portrait else None,
            modules=tuple(_module_scores(analysis, person.id)),
        )
        for person in analysis.people
    ]


def _module_scores(analysis: Analysis, person_id: int) -> Iterator[ModuleScore]:
    for key, outcome in analysis.modules.items():
        for person in outcome.people:
            if person.id == person_id:
                yield ModuleScore(key, person.score, person.verdict, outcome)


def key_frames(record: RunRecord, outcomes: Iterable[ModuleOutcome]) -> list[KeyFrame]:
    """The evidence of some modules by person and time; a picture that several of them name is shown once."""
    by_moment: dict[tuple[int, int], list[tuple[ModuleOutcome, Evidence]]] = {}
    for outcome in outcomes:
        for evidence in outcome.evidence:
            by_moment.setdefault((evidence.person, evidence.frame_index), []).append((outcome, evidence))
    return [_key_frame(record, shown) for _, shown in sorted(by_moment.items())]


def _key_frame(record: RunRecord, shown: list[tuple[ModuleOutcome, Evidence]]) -> KeyFrame:
    pictures = {
        evidence.path: Picture(picture_words(evidence.kind), _url(record, evidence.path)) for _, evidence in shown
    }
    verdicts = {
        outcome.key: FrameVerdict(outcome.key, evidence.score, outcome.thresholds.verdict(evidence.score))
        for outcome, evidence in shown
        if evidence.score is not None and outcome.thresholds
    }
    first = shown[0][1]
    return KeyFrame(first.person, first.time_s, tuple(verdicts.values()), tuple(pictures.values()))


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
    return {"duration": analysis.duration_s or 0, "modules": modules, "names": names}


def deviation_cards(outcome: ModuleOutcome) -> list[DeviationCard]:
    """Those that leave the genuine range come first."""
    return [_deviation_card(d) for d in sorted(outcome.deviations, key=lambda d: (not d.deviates, d.person, d.feature))]


def _deviation_card(deviation: Deviation) -> DeviationCard:
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
        genuine_x=f"{share(low):.2f}%",
        genuine_width=f"{share(high) - share(low):.2f}%",
        value_x=f"{share(deviation.value):.2f}%",
        points=points,
        series_low_y=f"{100 - 100 * (high - bottom) / height:.2f}",
        series_height=f"{100 * (high - low) / height:.2f}",
    )


def _extent(values: list[float]) -> tuple[float, float]:
    """The smallest value and the extent, never 0."""
    return (min(values), (max(values) - min(values)) or 1.0) if values else (0.0, 1.0)


def _url(record: RunRecord, path: str) -> str:
    return reverse("evidence", args=[record.id, path])
