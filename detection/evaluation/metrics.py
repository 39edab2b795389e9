"""Figures of merit over labelled clips, each with a bootstrap interval.

Every metric is a function of a sample and of weights (B, n), and gives (B,) values: weights of one are the estimate,
counts of a resampling with replacement are the bootstrap's. So an interval is made by the very code that makes the
estimate, for thousands of resamples at once.

Intervals are percentile bootstrap (Efron & Tibshirani 1993): whole pairs and single clips are drawn with replacement,
so that a fake and its genuine twin stay together; a resample in which a metric is not defined is left out. A rate that
is exactly 0 or 1 has no spread to resample; there the open end is the exact binomial (Clopper-Pearson) bound. So it is
for an AUC of exactly 0 or 1, each clip of the rarer kind with one of the other taken as one trial: a true AUC of θ
separates k such couples by chance with probability θᵏ, and all clips no more often.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

FAKE, UNCERTAIN, REAL = 1, 0, -1
ALONE = -1

CONFIDENCE = 0.95
RESAMPLES = 2000
RELIABILITY_BINS = 10
MAX_WEIGHTS_AT_ONCE = 4_000_000  # bounds the memory of large folders


@dataclass(frozen=True)
class Sample:
    """What one judge says of n clips that it gave a result for.

    `fake` (n,) is the truth, `scores` (n,) the calibrated probabilities, `called` (n,) the verdicts at the shipped
    thresholds (FAKE, UNCERTAIN, REAL), `pairs` (n,) a number shared by a fake and its genuine twin, ALONE without one.
    """

    fake: Bools
    scores: Floats
    called: Ints
    pairs: Ints

    def __len__(self) -> int:
        return len(self.fake)

    def where(self, chosen: Bools) -> Sample:
        return Sample(self.fake[chosen], self.scores[chosen], self.called[chosen], self.pairs[chosen])

    @cached_property
    def has_twin(self) -> Bools:
        """(n,) whether the sample holds a clip of the other kind in the same pair."""
        both = np.intersect1d(self.pairs[self.fake], self.pairs[~self.fake])
        return np.isin(self.pairs, both[both != ALONE])

    @cached_property
    def above_twin(self) -> Floats:
        """(n,) for a fake with a twin 1 when it scores above it, 0.5 when equal (averaged over twins); else 0."""
        above = np.zeros(len(self))
        for index in np.flatnonzero(self.has_twin & self.fake):
            twins = self.scores[~self.fake & (self.pairs == self.pairs[index])]
            above[index] = np.mean((self.scores[index] > twins) + 0.5 * (self.scores[index] == twins))
        return above


def auc(sample: Sample, weights: Floats) -> Floats:
    """Area under the ROC curve: how often a fake scores above a genuine clip, ties counting half."""
    fake, genuine = _by_score(sample, weights)
    below = np.cumsum(genuine, axis=1) - genuine / 2
    return _ratio((fake * below).sum(axis=1), fake.sum(axis=1) * genuine.sum(axis=1))


def eer(sample: Sample, weights: Floats) -> Floats:
    """Equal error rate: where as many genuine clips score above a threshold as fakes below, linear between scores."""
    false_alarms, missed = _error_rates(sample, weights)
    lead = false_alarms - missed  # falls from 1 to −1 as the threshold rises
    after = np.argmax(lead <= 0, axis=1)[:, None]
    before = np.maximum(after - 1, 0)

    def at(values: Floats, index: Ints) -> Floats:
        return np.take_along_axis(values, index, axis=1)[:, 0]

    share = _ratio(at(lead, before), at(lead, before) - at(lead, after))
    return at(false_alarms, before) + share * (at(false_alarms, after) - at(false_alarms, before))


def accuracy(sample: Sample, weights: Floats) -> Floats:
    """The share of clips with the right verdict; `uncertain` is not right."""
    return _share(weights, sample.called == np.where(sample.fake, FAKE, REAL))


def accuracy_decided(sample: Sample, weights: Floats) -> Floats:
    """The share of right verdicts among the clips that are called fake or real."""
    decided = sample.called != UNCERTAIN
    return _share(weights, sample.called == np.where(sample.fake, FAKE, REAL), decided)


def false_alarm_rate(sample: Sample, weights: Floats) -> Floats:
    """The share of genuine clips that are called fake."""
    return _share(weights, sample.called == FAKE, ~sample.fake)


def caught(sample: Sample, weights: Floats) -> Floats:
    """The share of fakes that are called fake."""
    return _share(weights, sample.called == FAKE, sample.fake)


def missed(sample: Sample, weights: Floats) -> Floats:
    """The share of fakes that are called real."""
    return _share(weights, sample.called == REAL, sample.fake)


def uncertain(sample: Sample, weights: Floats) -> Floats:
    """The share of clips that are called neither."""
    return _share(weights, sample.called == UNCERTAIN)


def calibration_error(sample: Sample, weights: Floats) -> Floats:
    """Expected calibration error over RELIABILITY_BINS equal bins of the score (Guo et al., ICML 2017)."""
    bins = np.eye(RELIABILITY_BINS)[bin_of(sample.scores)]
    gaps = (weights * (sample.scores - sample.fake)) @ bins
    return _ratio(np.abs(gaps).sum(axis=1), weights.sum(axis=1))


def calibration_error_by_chance(scores: Floats, *, seed: int = 0, draws: int = RESAMPLES) -> float:
    """The mean calibration error of so many clips if the scores were exactly right: few clips do not get below it.

    The truths are drawn from the scores (as Bröcker & Smith, 2007, do for reliability diagrams).
    """
    bins = np.eye(RELIABILITY_BINS)[bin_of(scores)]
    draw = np.random.default_rng(seed)
    rows = max(1, min(draws, MAX_WEIGHTS_AT_ONCE // max(1, len(scores))))
    truths = draw.random((rows, len(scores))) < scores
    return float(np.abs((scores - truths) @ bins).sum(axis=1).mean() / len(scores))


def brier(sample: Sample, weights: Floats) -> Floats:
    """Mean squared error of the score as a probability."""
    return _ratio(weights @ (sample.scores - sample.fake) ** 2, weights.sum(axis=1))


def paired_accuracy(sample: Sample, weights: Floats) -> Floats:
    """The share of fakes that score above their genuine twin."""
    return _ratio(weights @ sample.above_twin, weights @ (sample.has_twin & sample.fake))


def auc_within_pairs(sample: Sample, weights: Floats) -> Floats:
    """The AUC over the clips that have a twin."""
    return auc(sample, weights * sample.has_twin)


@dataclass(frozen=True)
class Metric:
    """A function of this module, its name for people, and the clips of a sample that it is about.

    `trials`: of how many independent ones it is the share that came out; None where it is no such share.
    """

    label: str
    value: Callable[[Sample, Floats], Floats]
    among: Callable[[Sample], Bools]
    trials: Callable[[Sample, Bools], int] | None = None


def _all(sample: Sample) -> Bools:
    return np.ones(len(sample), bool)


def _each(_: Sample, among: Bools) -> int:
    return int(np.count_nonzero(among))


def _couples(sample: Sample, among: Bools) -> int:
    """How many couples of a fake and a genuine clip there are that share no clip."""
    return min(_each(sample, among & sample.fake), _each(sample, among & ~sample.fake))


METRICS: dict[str, Metric] = {
    "auc": Metric("AUC", auc, _all, _couples),
    "eer": Metric("equal error rate", eer, _all, _couples),
    "paired_accuracy": Metric("fake above its twin", paired_accuracy, lambda s: s.has_twin & s.fake, _each),
    "auc_within_pairs": Metric("AUC within pairs", auc_within_pairs, lambda s: s.has_twin, _couples),
    "false_alarm_rate": Metric("false alarms", false_alarm_rate, lambda s: ~s.fake, _each),
    "caught": Metric("fakes caught", caught, lambda s: s.fake, _each),
    "missed": Metric("fakes called real", missed, lambda s: s.fake, _each),
    "uncertain": Metric("uncertain", uncertain, _all, _each),
    "accuracy": Metric("right verdicts", accuracy, _all, _each),
    "accuracy_decided": Metric("right where decided", accuracy_decided, lambda s: s.called != UNCERTAIN, _each),
    "brier": Metric("Brier score", brier, _all),
    "calibration_error": Metric("calibration error", calibration_error, _all),
}


@dataclass(frozen=True)
class Figure:
    """A metric's value over `clips` clips with its CONFIDENCE interval; None where it is not defined."""

    value: float | None
    low: float | None
    high: float | None
    clips: int


def figures(
    sample: Sample, metrics: dict[str, Metric] | None = None, *, seed: int = 0, resamples: int = RESAMPLES
) -> dict[str, Figure]:
    """The figures of a sample by the metrics' names (all METRICS unless given), the same for the same seed."""
    metrics = METRICS if metrics is None else metrics
    if not len(sample):
        return {name: Figure(None, None, None, 0) for name in metrics}
    drawn: dict[str, list[Floats]] = {name: [] for name in metrics}
    for weights in resampled_weights(sample, seed, resamples):
        for name, metric in metrics.items():
            drawn[name].append(metric.value(sample, weights))
    once = np.ones((1, len(sample)))
    return {
        name: _figure(metric, sample, float(metric.value(sample, once)[0]), np.concatenate(drawn[name]))
        for name, metric in metrics.items()
    }


def resampled_weights(sample: Sample, seed: int, resamples: int) -> Iterator[Floats]:
    """How often each clip was drawn, (b, n) at a time, until there were `resamples` rows."""
    draw = np.random.default_rng(seed)
    keys = np.where(sample.pairs == ALONE, -1 - np.arange(len(sample)), sample.pairs)
    _, unit = np.unique(keys, return_inverse=True)
    units = int(unit.max()) + 1
    at_once = max(1, MAX_WEIGHTS_AT_ONCE // len(sample))
    for start in range(0, resamples, at_once):
        rows = min(at_once, resamples - start)
        yield draw.multinomial(units, np.full(units, 1 / units), rows)[:, unit].astype(np.float64)


def _figure(metric: Metric, sample: Sample, value: float, drawn: Floats) -> Figure:
    among = metric.among(sample)
    clips = _each(sample, among)
    drawn = drawn[np.isfinite(drawn)]
    if not np.isfinite(value) or not len(drawn):
        return Figure(None, None, None, clips)
    tail = (1 - CONFIDENCE) / 2
    low, high = (float(v) for v in np.quantile(drawn, (tail, 1 - tail)))
    if metric.trials is not None and value in (0, 1):
        bound = tail ** (1 / metric.trials(sample, among))
        low, high = (bound, 1.0) if value else (0.0, 1 - bound)
    return Figure(value, low, high, clips)


def bin_of(scores: Floats) -> Ints:
    """(n,) the number of the reliability bin that each score falls into."""
    return np.minimum((scores * RELIABILITY_BINS).astype(np.int64), RELIABILITY_BINS - 1)


def roc(sample: Sample) -> tuple[Floats, Floats]:
    """The ROC curve from (0, 0) to (1, 1): false-alarm rate and share of fakes caught at every distinct score."""
    false_alarms, missed_ = _error_rates(sample, np.ones((1, len(sample))))
    return false_alarms[0, ::-1], 1 - missed_[0, ::-1]


def _by_score(sample: Sample, weights: Floats) -> tuple[Floats, Floats]:
    """The weight of fakes and of genuine clips at each distinct score, in rising order, both (B, k)."""
    order = np.argsort(sample.scores, kind="stable")
    starts = np.unique(sample.scores[order], return_index=True)[1]
    fake = np.add.reduceat((weights * sample.fake)[:, order], starts, axis=1)
    genuine = np.add.reduceat((weights * ~sample.fake)[:, order], starts, axis=1)
    return fake, genuine


def _error_rates(sample: Sample, weights: Floats) -> tuple[Floats, Floats]:
    """False-alarm and miss rate, (B, k + 1), for a threshold at each distinct score and for one above all."""
    fake, genuine = _by_score(sample, weights)
    none = np.zeros((len(weights), 1))
    below_fake = np.hstack([none, np.cumsum(fake, axis=1)])
    below_genuine = np.hstack([none, np.cumsum(genuine, axis=1)])
    return 1 - _ratio(below_genuine, below_genuine[:, -1:]), _ratio(below_fake, below_fake[:, -1:])


def _share(weights: Floats, hit: Bools, among: Bools | None = None) -> Floats:
    among = np.ones(len(hit), bool) if among is None else among
    return _ratio(weights @ (hit & among), weights @ among)


def _ratio(part: Floats, whole: Floats) -> Floats:
    """NaN where there is nothing to take a part of."""
    part, whole = np.broadcast_arrays(np.asarray(part, np.float64), np.asarray(whole, np.float64))
    ratio = np.full(part.shape, np.nan)
    np.divide(part, whole, out=ratio, where=whole != 0)
    return ratio
