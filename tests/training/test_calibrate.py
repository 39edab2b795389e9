"""Calibration fitted to logits whose true distribution is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit

from detection.inference import calibration, weights
from detection.training.calibrate import (
    MAX_FALSE_ALARMS,
    CalibrationError,
    calibrate,
    main,
    platt,
    smooth_quantile,
)

FAKES, GENUINE = 24, 41


def clips(seed: int, distance: float, *, fakes: int = FAKES, genuine: int = GENUINE) -> tuple[np.ndarray, np.ndarray]:
    """Logits and truth: normals of width 1.5 around 1 and 1 + 1.5 × distance."""
    fake = np.arange(fakes + genuine) < fakes
    return np.random.default_rng(seed).normal(1 + 1.5 * distance * fake, 1.5), fake


def alone(fake: np.ndarray) -> list[str]:
    """Every clip a group of its own."""
    return [str(number) for number in range(len(fake))]


def test_platt_finds_the_true_coefficients_of_many_clips() -> None:
    draw = np.random.default_rng(0)
    logits = draw.normal(2, 3, 20_000)
    fake = draw.random(20_000) < expit(0.8 * logits - 1.5)
    assert platt(logits, fake) == pytest.approx((0.8, -1.5), abs=0.06)


def test_platt_stays_finite_where_the_classes_are_apart() -> None:
    logits = np.array([-3.0, -2, -1, 1, 2, 3])
    slope, intercept = platt(logits, logits > 0)
    assert 0.5 < slope < 5
    assert intercept == pytest.approx(0, abs=1e-3)


def test_smooth_quantile_is_near_the_true_one_and_beyond_the_highest_of_few() -> None:
    draw = np.random.default_rng(1)
    assert smooth_quantile(draw.normal(0, 1, 5000), 0.97) == pytest.approx(1.93, abs=0.12)
    few = draw.normal(0, 1, 10)
    assert smooth_quantile(few, 0.97) > few.max()
    assert smooth_quantile(np.full(5, 2.0), 0.97) == 2.0


@pytest.mark.parametrize("distance", [1.0, 2.5])
def test_false_alarms_on_new_clips_are_as_rare_as_stated(distance: float) -> None:
    rates = []
    for seed in range(12):
        logits, fake = clips(seed, distance)
        fitted = calibrate(logits, fake, alone(fake), data="drawn")
        fresh, _ = clips(1000 + seed, distance, fakes=0, genuine=4000)
        rates.append(np.mean(fitted.probability(fresh) >= fitted.thresholds.fake_from))
        assert fitted.figures["false_alarms"] <= MAX_FALSE_ALARMS
        assert np.mean(fitted.probability(logits[~fake]) >= fitted.thresholds.fake_from) <= MAX_FALSE_ALARMS
    assert np.mean(rates) <= MAX_FALSE_ALARMS + 0.01
    assert np.mean(rates) > 0.01  # not bought by calling nothing fake


def test_few_fakes_fall_below_the_band_of_a_good_detector() -> None:
    logits, fake = clips(3, 2.5)
    fitted = calibrate(logits, fake, alone(fake), data="drawn")
    fresh, truth = clips(4, 2.5, fakes=4000, genuine=4000)
    called_real = fitted.probability(fresh) < fitted.thresholds.real_below
    assert called_real[truth].mean() <= 0.16
    assert called_real[~truth].mean() >= 0.6
    assert fitted.figures["missed"] <= 0.10


def test_a_weak_detector_still_clears_a_fifth_and_says_what_that_costs() -> None:
    logits, fake = clips(2, 0.3)
    fitted = calibrate(logits, fake, alone(fake), data="drawn")
    assert fitted.figures["cleared"] >= 0.15
    assert fitted.figures["missed"] == np.mean(fitted.probability(logits[fake]) < fitted.thresholds.real_below)
    assert fitted.thresholds.real_below < fitted.thresholds.fake_from


def test_the_band_never_turns_over_where_the_classes_are_apart() -> None:
    logits, fake = clips(5, 8)
    fitted = calibrate(logits, fake, alone(fake), data="drawn")
    assert fitted.thresholds.real_below <= fitted.thresholds.fake_from
    assert fitted.figures["caught"] == 1.0


def test_a_group_is_judged_without_itself() -> None:
    """Six clips of one camera that all score high: left out, they are false alarms, so the threshold must rise."""
    draw = np.random.default_rng(7)
    fake = np.arange(80) < 40
    logits = np.where(fake, draw.normal(6, 1, 80), draw.normal(0, 1, 80))
    logits[74:] = draw.normal(4, 0.1, 6)
    apart = calibrate(logits, fake, alone(fake), data="drawn")
    together = calibrate(logits, fake, [*alone(fake)[:74], *["camera"] * 6], data="drawn")
    assert together.figures["groups"] == 75
    assert together.thresholds.fake_from >= apart.thresholds.fake_from
    assert together.figures["calibration_error"] > apart.figures["calibration_error"]


@pytest.mark.parametrize(
    ("logits", "fake", "groups", "fault"),
    [
        ([1.0, 2.0, 3.0, 4.0], [False] * 4, "abcd", "fakes of two groups"),
        ([1.0, 2.0, 3.0, 4.0], [True, True, False, False], "aabb", "of two groups"),
        ([1.0, np.nan, 3.0, 4.0], [True, True, False, False], "abcd", "1 of 4 logits are not finite"),
        ([1.0, 2.0, 3.0, 4.0], [True, True, False, False], "abcd", "rank fakes below"),
        ([1.0, 2.0], [True, True, False, False], "abcd", "do not fit together"),
    ],
)
def test_what_cannot_be_calibrated_is_named(logits: list[float], fake: list[bool], groups: str, fault: str) -> None:
    with pytest.raises(CalibrationError, match=fault):
        calibrate(logits, fake, list(groups), data="none")


def test_the_command_writes_an_asset_that_loads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "ASSETS", tmp_path)
    monkeypatch.setattr(weights, "MANIFEST", tmp_path / "manifest.json")
    logits, fake = clips(1, 2)
    lines = [f"{'fake' if f else 'real'}\t{x}\tg{n}" for n, (x, f) in enumerate(zip(logits, fake, strict=True))]
    table = tmp_path / "logits.tsv"
    table.write_text("\n".join(["label\tlogit\tgroup", *lines]))
    monkeypatch.setattr("sys.argv", ["calibrate", str(table), "probe_calibration", "--data", "drawn clips"])
    main()
    try:
        fitted = calibration.load("probe_calibration")
        assert (fitted.slope, fitted.intercept) == platt(logits, fake)
        assert fitted.data == "drawn clips"
        assert fitted.figures["clips"] == 65
    finally:
        calibration.load.cache_clear()
        weights.verified_path.cache_clear()
