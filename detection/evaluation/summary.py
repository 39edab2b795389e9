"""From rows to an evaluation: the figures of every judge, per family of forgery and per variant of the clips."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from detection.evaluation.metrics import (
    ALONE,
    CONFIDENCE,
    FAKE,
    METRICS,
    REAL,
    RELIABILITY_BINS,
    RESAMPLES,
    UNCERTAIN,
    Figure,
    Floats,
    Metric,
    Sample,
    bin_of,
    calibration_error_by_chance,
    figures,
    roc,
)
from detection.evaluation.run import Row
from detection.records.schema import Thresholds, Verdict

FAMILY_METRICS = {name: METRICS[name] for name in ("auc", "caught", "paired_accuracy", "auc_within_pairs")}
VARIANT_METRICS = {name: METRICS[name] for name in ("auc", "paired_accuracy", "false_alarm_rate", "caught")}
UNNAMED = "unnamed"  # the family of a fake of which the index does not tell one
HISTOGRAM_BINS = 20

_CALLED: dict[Verdict, int] = {"fake": FAKE, "real": REAL, "uncertain": UNCERTAIN}


@dataclass(frozen=True)
class Reliability:
    """One bin of the reliability curve: of `clips` with about the score `mean_score`, `share_fake` are fakes."""

    mean_score: float
    share_fake: float
    clips: int


@dataclass(frozen=True)
class Family:
    """The fakes of one method against all genuine clips."""

    name: str
    fakes: int
    figures: dict[str, Figure]


@dataclass(frozen=True)
class Robustness:
    """What a change of the clips does to a judge. `mean_change` is the mean of |score changed − score before|."""

    variant: str
    mean_change: Figure
    verdict_changed: Figure
    figures: dict[str, Figure]
    no_result: int


@dataclass(frozen=True)
class JudgeReport:
    """All about one judge. Histograms count clips in HISTOGRAM_BINS equal bins; `roc` is (false alarms, caught)."""

    judge: str
    fakes: int
    genuine: int
    no_result: dict[str, int]
    thresholds: Thresholds | None
    figures: dict[str, Figure]
    calibration_error_by_chance: float | None
    families: tuple[Family, ...]
    robustness: tuple[Robustness, ...]
    reliability: tuple[Reliability, ...]
    roc: tuple[tuple[float, float], ...]
    histogram_fake: tuple[int, ...]
    histogram_real: tuple[int, ...]


@dataclass(frozen=True)
class Evaluation:
    """What `evaluate` found. `seconds`: what the analyses took, also those that were done in an earlier run."""

    folder: str
    fakes: int
    genuine: int
    judges: tuple[JudgeReport, ...]
    rows: tuple[Row, ...]
    versions: dict[str, str]
    seconds: float
    seed: int
    resamples: int = RESAMPLES
    confidence: float = CONFIDENCE


def summarise(
    folder: str,
    judges: Sequence[str],
    rows: Sequence[Row],
    changed: Mapping[str, Sequence[Row]],
    versions: dict[str, str],
    *,
    seed: int = 0,
) -> Evaluation:
    """Figures for `rows`, and for `changed`: the rows of the same clips, in the same order, by variant's name."""
    return Evaluation(
        folder,
        sum(row.clip.label == "fake" for row in rows),
        sum(row.clip.label == "real" for row in rows),
        tuple(_judge_report(judge, rows, changed, seed) for judge in judges),
        tuple(rows),
        versions,
        sum(row.outcome.seconds for row in rows),
        seed,
    )


def sample_of(judge: str, rows: Sequence[Row]) -> Sample:
    """What `judge` says of the rows that it gave a score for."""
    scored = [row for row in rows if row.outcome.opinions[judge].score is not None]
    names = sorted({row.clip.pair for row in scored if row.clip.pair is not None})
    number = {name: index for index, name in enumerate(names)}
    return Sample(
        np.array([row.clip.label == "fake" for row in scored], bool),
        np.array([row.outcome.opinions[judge].score for row in scored], np.float64),
        np.array([_CALLED[row.outcome.opinions[judge].verdict] for row in scored], np.int64),
        np.array([number.get(row.clip.pair or "", ALONE) for row in scored], np.int64),
    )


def _judge_report(judge: str, rows: Sequence[Row], changed: Mapping[str, Sequence[Row]], seed: int) -> JudgeReport:
    sample = sample_of(judge, rows)
    opinions = [row.outcome.opinions[judge] for row in rows]
    reasons = Counter(str(opinion.reason) for opinion in opinions if opinion.score is None)
    has_both = 0 < np.count_nonzero(sample.fake) < len(sample)
    return JudgeReport(
        judge=judge,
        fakes=int(np.count_nonzero(sample.fake)),
        genuine=int(np.count_nonzero(~sample.fake)),
        no_result=dict(reasons.most_common()),
        thresholds=next((opinion.thresholds for opinion in opinions if opinion.thresholds), None),
        figures=figures(sample, seed=seed),
        calibration_error_by_chance=calibration_error_by_chance(sample.scores, seed=seed) if len(sample) else None,
        families=_families(judge, rows, seed),
        robustness=tuple(_robustness(name, judge, rows, others, seed) for name, others in changed.items()),
        reliability=_reliability(sample),
        roc=tuple((float(x), float(y)) for x, y in zip(*roc(sample), strict=True)) if has_both else (),
        histogram_fake=_histogram(sample.scores[sample.fake]),
        histogram_real=_histogram(sample.scores[~sample.fake]),
    )


def _families(judge: str, rows: Sequence[Row], seed: int) -> tuple[Family, ...]:
    """By name, when the index tells at least one."""
    names = {row.clip.method for row in rows if row.clip.label == "fake"}
    if names <= {None}:
        return ()
    found = []
    for name in sorted(name or UNNAMED for name in names):
        own = [row for row in rows if row.clip.label == "real" or (row.clip.method or UNNAMED) == name]
        sample = sample_of(judge, own)
        found.append(Family(name, int(np.count_nonzero(sample.fake)), figures(sample, FAMILY_METRICS, seed=seed)))
    return tuple(found)


def _robustness(name: str, judge: str, rows: Sequence[Row], changed: Sequence[Row], seed: int) -> Robustness:
    """The changes of scores and verdicts are measured where there is a score before and after."""
    both = [
        (before, after)
        for before, after in zip(rows, changed, strict=True)
        if before.outcome.opinions[judge].score is not None and after.outcome.opinions[judge].score is not None
    ]
    before, after = (sample_of(judge, [pair[side] for pair in both]) for side in (0, 1))
    change, moved = np.abs(after.scores - before.scores), after.called != before.called

    def mean_of(values: Floats) -> Metric:
        return Metric("", lambda _, weights: (weights @ values) / weights.sum(axis=1), lambda s: np.ones(len(s), bool))

    measured = figures(before, {"change": mean_of(change), "moved": mean_of(moved.astype(np.float64))}, seed=seed)
    return Robustness(
        name,
        measured["change"],
        measured["moved"],
        figures(sample_of(judge, changed), VARIANT_METRICS, seed=seed),
        sum(row.outcome.opinions[judge].score is None for row in changed),
    )


def _reliability(sample: Sample) -> tuple[Reliability, ...]:
    """The bins that hold a clip, by rising score."""
    bins = bin_of(sample.scores)
    members = [bins == number for number in range(RELIABILITY_BINS)]
    return tuple(
        Reliability(float(sample.scores[m].mean()), float(sample.fake[m].mean()), int(np.count_nonzero(m)))
        for m in members
        if m.any()
    )


def _histogram(scores: Floats) -> tuple[int, ...]:
    return tuple(int(count) for count in np.histogram(scores, HISTOGRAM_BINS, (0.0, 1.0))[0])
