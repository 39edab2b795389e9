"""Fusion: a witness counts as far as it may be believed, a wrong one nothing, and what is stored is what the site
reads.
"""

from __future__ import annotations

import json

import numpy as np
import pytest

from detection import fusion
from detection.inference import weights
from detection.training.fuse import Clips, combine, fit_all, floors, groups_left_out, methods_left_out, store


def witnesses(seed: int = 0, n: int = 120) -> Clips:
    """Three that see the clips through noise and say their log-odds: one well, one badly, one the wrong way round.

    Of "swap" the second alone sees something.
    """
    rng = np.random.default_rng(seed)
    fake = np.arange(n) % 3 == 0
    methods = np.where(fake, np.where(np.arange(n) % 2 == 0, "swap", "mouth"), "")
    shifts = (2.0 * (methods == "mouth"), 1.0 * fake, -1.5 * fake)
    seen = [rng.normal(shift, 1.0) for shift in shifts]
    logits = np.stack([a * x - a * a / 2 for a, x in zip((2.0, 1.0, 1.5), seen, strict=True)], axis=1)
    return Clips(logits, fake, np.array([f"g{i // 2}" for i in range(n)]), methods)


def test_a_witness_counts_as_far_as_it_may_be_believed():
    clips = witnesses(n=3000)
    well, badly, wrong = combine(clips.logits, clips.fake)
    assert 0.1 < well < 0.6, "it is surer than one may be who misses every swap"
    assert badly == pytest.approx(1.0, abs=0.05)
    assert wrong == 0
    assert combine(clips.logits / 4, clips.fake).max() == 1, "one that is too modest counts as it says, not more"


def test_clips_left_out_are_ranked_by_what_the_others_taught():
    clips = witnesses(1)
    held_out = groups_left_out(clips)
    assert held_out[clips.fake].mean() > held_out[~clips.fake].mean() + 1
    own = clips.logits @ combine(clips.logits, clips.fake)
    assert np.corrcoef(held_out, own)[0, 1] > 0.98


def test_a_method_is_ranked_by_what_the_other_methods_taught():
    clips = witnesses(2, n=1200)
    found = methods_left_out(clips)
    assert found["mouth"] > 0.75
    assert 0.6 < found["swap"] < 0.75, "what mouths taught trusts the wrong witness of swaps"


def test_a_face_without_traces_counts_as_the_base_rate_where_traces_are_looked_for():
    fake = np.array([True, False, False, False])
    assert floors(["space", "feature", "blend"], fake) == pytest.approx([-np.log(3), -np.inf, -np.log(3)])


def test_the_stored_combination_gives_the_fitted_probability(tmp_path, monkeypatch):
    clips = witnesses(3)
    chosen = Clips(clips.logits[:, :2], clips.fake, clips.groups, clips.methods)
    (fitted,) = fit_all(["space", "feature"], chosen, "made up")
    monkeypatch.setattr(weights, "ASSETS", tmp_path)
    monkeypatch.setattr(weights, "MANIFEST", tmp_path / "manifest.json")
    entry = json.loads(store([fitted]).read_text())["combinations"][0]
    combination = fusion.Combination(entry["weights"], entry["bias"], fitted.calibration.thresholds, entry["floors"])
    for space, counts in ((0.7, 0.7), (0.02, 1 / 3)):  # a third of the clips is fake
        said = np.log([counts / (1 - counts), 0.2 / 0.8]) @ fitted.weights
        expected = fitted.calibration.probability(float(said))
        assert combination.score({"space": space, "feature": 0.2}) == pytest.approx(expected, abs=1e-9)


def test_every_set_of_modules_that_a_person_may_run_has_coefficients():
    fitted = fit_all(["space", "feature", "blend"], witnesses(4), "made up")
    assert [f.modules for f in fitted] == [
        ("space", "feature"),
        ("space", "blend"),
        ("feature", "blend"),
        ("space", "feature", "blend"),
    ]
