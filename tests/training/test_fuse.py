"""Fusion: the better witness weighs more, a wrong one nothing, and what is stored is what the site reads."""

from __future__ import annotations

import json

import numpy as np

from detection.inference import weights
from detection.training.fuse import combine, fit_all, left_out, store


def witnesses(seed: int = 0):
    rng = np.random.default_rng(seed)
    fake = np.arange(120) % 3 == 0
    strong, weak, wrong = (rng.normal(shift * fake, 1.0) for shift in (2.0, 0.7, -1.5))
    return np.stack([strong, weak, wrong], axis=1), fake, np.array([f"g{i // 2}" for i in range(120)])


def test_the_better_witness_weighs_more_and_a_wrong_one_nothing():
    logits, fake, _ = witnesses()
    strong, weak, wrong = combine(logits, fake)
    assert strong > weak > 0
    assert wrong == 0


def test_clips_left_out_are_ranked_by_what_the_others_taught():
    logits, fake, groups = witnesses(1)
    held_out = left_out(logits, fake, groups)
    assert held_out[fake].mean() > held_out[~fake].mean() + 1
    own = logits @ combine(logits, fake)
    assert np.corrcoef(held_out, own)[0, 1] > 0.98


def test_the_stored_combination_gives_the_fitted_probability(tmp_path, monkeypatch):
    from detection import fusion

    logits, fake, groups = witnesses(2)
    (fitted,) = fit_all(["space", "feature"], logits[:, :2], fake, groups, "made up")
    monkeypatch.setattr(weights, "ASSETS", tmp_path)
    monkeypatch.setattr(weights, "MANIFEST", tmp_path / "manifest.json")
    path = store([fitted])
    entry = json.loads(path.read_text())["combinations"][0]
    combination = fusion.Combination(entry["weights"], entry["bias"], fitted.calibration.thresholds)
    scores = {"space": 0.7, "feature": 0.2}
    expected = fitted.calibration.probability(float(np.log([0.7 / 0.3, 0.2 / 0.8]) @ fitted.weights))
    assert abs(combination.score(scores) - expected) < 1e-9


def test_every_set_of_modules_that_a_person_may_run_has_coefficients():
    logits, fake, groups = witnesses(3)
    fitted = fit_all(["space", "feature", "blend"], logits, fake, groups, "made up")
    assert [f.modules for f in fitted] == [
        ("space", "feature"),
        ("space", "blend"),
        ("feature", "blend"),
        ("space", "feature", "blend"),
    ]
