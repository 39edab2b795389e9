"""Figures against values worked out by hand, and against what must hold of them."""

from __future__ import annotations

import numpy as np
import pytest

from detection.evaluation.metrics import (
    ALONE,
    FAKE,
    METRICS,
    REAL,
    UNCERTAIN,
    Figure,
    Sample,
    calibration_error_by_chance,
    figures,
    resampled_weights,
    roc,
)


def sample(fake: list[float], genuine: list[float], pairs: list[int] | None = None, called: list[int] | None = None):
    """Fakes first; `pairs` and `called` in the same order."""
    scores = np.array(fake + genuine, np.float64)
    return Sample(
        np.arange(len(scores)) < len(fake),
        scores,
        np.array(called if called is not None else np.where(scores >= 0.5, FAKE, REAL)),
        np.array(pairs if pairs is not None else [ALONE] * len(scores)),
    )


def value(name: str, of: Sample) -> float:
    return float(METRICS[name].value(of, np.ones((1, len(of))))[0])


def drawn_from_normals(n: int, seed: int, distance: float = 1.0) -> Sample:
    draw = np.random.default_rng(seed)
    logits = draw.normal(0, 1, 2 * n) + np.repeat([distance, 0], n)
    return sample(*(part.tolist() for part in np.split(1 / (1 + np.exp(-logits)), 2)))


def test_auc_counts_ordered_couples_and_ties_half() -> None:
    # .9 beats all three, .4 beats .1 and ties with .4: 3 + 1.5 of 6
    assert value("auc", sample([0.9, 0.4], [0.1, 0.4, 0.8])) == pytest.approx(4.5 / 6)


def test_eer_is_where_the_error_rates_cross() -> None:
    # At .6 one of four genuine clips alarms and one of four fakes is missed
    assert value("eer", sample([0.5, 0.6, 0.7, 0.9], [0.1, 0.2, 0.3, 0.8])) == pytest.approx(0.25)
    assert value("eer", sample([0.8, 0.9], [0.1, 0.2])) == 0
    assert value("eer", sample([0.5, 0.5], [0.5, 0.5, 0.5])) == pytest.approx(0.5)


def test_rates_at_the_shipped_thresholds() -> None:
    said = sample(
        [0.9, 0.8, 0.5, 0.1],
        [0.9, 0.5, 0.1, 0.1, 0.1],
        called=[FAKE, FAKE, UNCERTAIN, REAL, FAKE, UNCERTAIN, *[REAL] * 3],
    )
    expected = {
        "false_alarm_rate": 1 / 5, "caught": 2 / 4, "missed": 1 / 4, "uncertain": 2 / 9,
        "accuracy": 5 / 9, "accuracy_decided": 5 / 7,
    }  # fmt: skip
    assert {name: value(name, said) for name in expected} == pytest.approx(expected)


def test_calibration_error_and_brier_by_hand() -> None:
    # The bin of .2 holds two genuine clips and a fake: |.2 − 1/3|; the bin of .95 holds one fake: .05
    said = sample([0.2, 0.95], [0.2, 0.2])
    assert value("calibration_error", said) == pytest.approx((3 * abs(0.2 - 1 / 3) + 0.05) / 4)
    assert value("brier", said) == pytest.approx((0.8**2 + 0.05**2 + 2 * 0.2**2) / 4)


def test_a_score_of_one_belongs_to_the_last_bin() -> None:
    assert value("calibration_error", sample([1.0], [0.0])) == 0


def test_pairs_compare_a_fake_with_its_own_twin() -> None:
    # Pair 0: .3 above .2; pair 1: .8 below .9; pair 2 has a fake alone; a genuine clip has no pair
    said = sample([0.3, 0.8, 0.6], [0.2, 0.9, 0.7], pairs=[0, 1, 2, 0, 1, ALONE])
    assert value("paired_accuracy", said) == pytest.approx(0.5)
    assert value("auc_within_pairs", said) == pytest.approx(2 / 4)


def test_a_fake_with_two_twins_counts_once() -> None:
    said = sample([0.5, 0.9], [0.4, 0.6, 0.1], pairs=[0, 1, 0, 0, 1])
    assert value("paired_accuracy", said) == pytest.approx((0.5 + 1) / 2)


def test_auc_and_roc_agree_with_scikit_learn() -> None:
    reference = pytest.importorskip("sklearn.metrics", reason="scikit-learn belongs to requirements-train.txt")
    said = drawn_from_normals(80, seed=3)
    rounded = Sample(said.fake, np.round(said.scores, 1), said.called, said.pairs)
    assert value("auc", rounded) == pytest.approx(reference.roc_auc_score(rounded.fake, rounded.scores))
    x, y, _ = reference.roc_curve(rounded.fake, rounded.scores, drop_intermediate=False)
    np.testing.assert_allclose(roc(rounded), (x, y))


def test_weights_count_like_repeated_clips() -> None:
    once = sample([0.9, 0.4, 0.6], [0.1, 0.4, 0.8], pairs=[0, 1, ALONE, 0, 1, ALONE])
    times = np.array([2, 1, 3, 2, 1, 4])
    repeated = once.where(np.repeat(np.arange(6), times))
    for name, metric in METRICS.items():
        if name == "paired_accuracy":
            continue  # repeated twins are averaged over: the same value, but not by the same sum
        assert metric.value(once, times[None].astype(float))[0] == pytest.approx(value(name, repeated)), name


def test_resamples_draw_as_many_units_and_keep_pairs_together() -> None:
    said = sample([0.9, 0.4, 0.6], [0.1, 0.4, 0.8], pairs=[0, 1, ALONE, 0, 1, ALONE])
    weights = np.concatenate(list(resampled_weights(said, seed=1, resamples=50)))
    assert weights.shape == (50, 6)
    np.testing.assert_array_equal(weights[:, :2], weights[:, 3:5])
    assert np.all(weights[:, [0, 1, 2, 5]].sum(axis=1) == 4)  # two pairs, a fake alone, a genuine clip alone
    assert len(np.unique(weights, axis=0)) > 1


def test_the_interval_covers_the_true_auc_as_often_as_it_says() -> None:
    from math import erf

    true = 0.5 * (1 + erf(1.0 / 2))  # Φ(d / √2) for normals a distance d = 1 apart
    only_auc = {"auc": METRICS["auc"]}
    covered = 0
    for seed in range(200):
        figure = figures(drawn_from_normals(40, seed), only_auc, seed=seed, resamples=400)["auc"]
        assert figure.low is not None
        assert figure.high is not None
        covered += figure.low <= true <= figure.high
    assert 0.90 <= covered / 200 <= 0.99


def test_the_same_seed_gives_the_same_interval_and_another_does_not() -> None:
    said = drawn_from_normals(30, seed=5)
    first = figures(said, seed=1, resamples=200)
    assert first == figures(said, seed=1, resamples=200)
    assert first["auc"] != figures(said, seed=2, resamples=200)["auc"]


def test_a_rate_of_zero_has_the_exact_binomial_bound() -> None:
    figure = figures(sample([0.9], [0.1] * 41), resamples=50)["false_alarm_rate"]
    assert (figure.value, figure.low, figure.clips) == (0.0, 0.0, 41)
    assert figure.high == pytest.approx(1 - 0.025 ** (1 / 41))


def test_a_ranking_without_spread_has_the_exact_bound_of_as_many_couples() -> None:
    found = figures(sample([0.9, 0.8, 0.7], [0.3, 0.2, 0.1, 0.1, 0.1]), resamples=50)
    bound = 0.025 ** (1 / 3)
    assert (found["auc"].value, found["auc"].low, found["auc"].high) == (1.0, pytest.approx(bound), 1.0)
    assert (found["eer"].value, found["eer"].low, found["eer"].high) == (0.0, 0.0, pytest.approx(1 - bound))
    reversed_ = figures(sample([0.1], [0.9, 0.8]), resamples=50)["auc"]
    assert (reversed_.value, reversed_.low, reversed_.high) == (0.0, 0.0, pytest.approx(0.975))


def test_what_is_not_defined_is_none() -> None:
    alone = figures(sample([], [0.1, 0.6]), resamples=50)
    assert alone["auc"] == Figure(None, None, None, 2)
    assert alone["caught"].value is None
    assert alone["paired_accuracy"] == Figure(None, None, None, 0)
    assert alone["false_alarm_rate"].value == 0.5
    assert figures(sample([], []))["auc"] == Figure(None, None, None, 0)


def test_calibration_error_by_chance_is_that_of_true_probabilities() -> None:
    draw = np.random.default_rng(0)
    scores = draw.random(60)
    simulated = []
    for _ in range(300):
        truth = draw.random(60) < scores
        order = np.argsort(~truth, kind="stable")
        n = int(truth.sum())
        simulated.append(value("calibration_error", sample(scores[order][:n].tolist(), scores[order][n:].tolist())))
    assert calibration_error_by_chance(scores) == pytest.approx(np.mean(simulated), abs=0.01)
    assert calibration_error_by_chance(np.array([0.0, 1.0])) == 0
