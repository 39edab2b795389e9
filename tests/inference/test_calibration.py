"""The calibration that the detectors share, and the file it comes from."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from detection.inference import calibration, weights
from detection.inference.calibration import Calibration
from detection.inference.weights import Asset, WeightsCorrupt, WeightsMissing, sha256_of
from detection.records.schema import Thresholds

BAND = Thresholds(real_below=0.3, fake_from=0.7)


def test_a_logit_becomes_the_platt_probability() -> None:
    fitted = Calibration(2.0, -1.0, BAND)
    assert fitted.probability(1.5) == pytest.approx(1 / (1 + math.exp(-2.0)))
    assert fitted.probability(0.5) == pytest.approx(0.5)


def test_an_array_keeps_its_shape_and_extreme_logits_do_not_overflow() -> None:
    with np.errstate(all="raise"):
        p = Calibration(1.0, 0.0, BAND).probability(np.array([[-1e4, 0.0], [1e4, 1.0]], np.float32))
    assert p.shape == (2, 2)
    assert p[:, 0].tolist() == [0, 1]
    assert p[0, 1] == 0.5


def test_a_file_is_read_back_without_loss(tmp_path: Path) -> None:
    fitted = Calibration(0.123456789, -3.25, BAND, {"auc": 0.91}, "65 clips", "2026-11-23")
    path = tmp_path / "space.json"
    path.write_text(fitted.to_json(), encoding="utf-8")
    assert calibration.read(path) == fitted


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"format": 2}', '{"format": 1, "slope": 1, "intercept": 0, "thresholds": {}}']
)
def test_a_file_that_is_no_calibration_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "space.json"
    path.write_text(text)
    with pytest.raises(WeightsCorrupt, match=r"space\.json is not a calibration"):
        calibration.read(path)


@pytest.mark.parametrize(
    ("slope", "low", "high"),
    [(-1.0, 0.3, 0.7), (0.0, 0.3, 0.7), (math.nan, 0.3, 0.7), (1.0, 0.8, 0.7), (1.0, 0.3, 1.2)],
)
def test_impossible_values_are_refused(slope: float, low: float, high: float) -> None:
    with pytest.raises(ValueError, match="must be"):
        Calibration(slope, 0.0, Thresholds(low, high))


def test_load_verifies_the_manifests_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "ASSETS", tmp_path)
    monkeypatch.setattr(weights, "MANIFEST", tmp_path / "manifest.json")
    path = tmp_path / "probe.json"
    path.write_text(Calibration(1.0, 0.0, BAND).to_json(), encoding="utf-8")
    weights.enrol(Asset("probe_calibration", path.name, sha256_of(path), "a test", "here", "Apache-2.0"))
    try:
        assert calibration.load("probe_calibration").thresholds == BAND
        with pytest.raises(WeightsMissing):
            calibration.load("another")
        calibration.load.cache_clear()
        weights.verified_path.cache_clear()
        path.write_text(Calibration(9.0, 0.0, BAND).to_json(), encoding="utf-8")
        with pytest.raises(WeightsCorrupt):
            calibration.load("probe_calibration")
    finally:
        calibration.load.cache_clear()
        weights.verified_path.cache_clear()
