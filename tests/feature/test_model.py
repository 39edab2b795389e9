from __future__ import annotations

import math

import pytest

from detection.feature import model
from detection.feature.measure import Measure
from detection.feature.model import CLIP, Model, Term
from detection.inference.weights import WeightsCorrupt

TREMBLE = Term("tremble", True, 0.0, 0.5, 2.0, 0.8, 1.3)
SHOWN = Term("blink rate", False, 0.0, 1.0, 0.0, 8.0, 30.0)


def test_a_logit_is_the_bias_and_the_terms():
    made = Model(-1.0, {"tremble": TREMBLE, "blink rate": SHOWN})
    measures = [Measure("tremble", math.e**0.25), Measure("blink rate", 900.0), Measure("unknown", 5.0)]
    assert made.logit(measures) == pytest.approx(-1.0 + 2.0 * 0.5)


def test_a_short_stretch_counts_less_and_says_nothing_in_the_end():
    made, measures = Model(0.0, {"tremble": TREMBLE}), [Measure("tremble", math.e**0.5)]
    few, many = (made.evidence(measures, faces) for faces in (20, 2000))
    assert 0 < few < 0.6 * many
    assert many == pytest.approx(made.logit(measures), rel=0.01)


def test_one_wild_measure_is_clipped():
    assert TREMBLE.contribution(1e9) == 2.0 * CLIP
    assert TREMBLE.contribution(1e-9) == -2.0 * CLIP


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 0.0, -1.0])
def test_what_could_not_be_measured_counts_nothing(value):
    assert TREMBLE.contribution(value) == 0.0


def test_a_model_survives_its_file():
    made = Model(0.25, {"tremble": TREMBLE, "blink rate": SHOWN})
    assert model.parse(made.to_json()) == made


@pytest.mark.parametrize("text", ["", "[]", '{"format": 9}', '{"format": 1, "bias": 0, "terms": [{"feature": "x"}]}'])
def test_a_damaged_file_is_named(text, tmp_path, monkeypatch):
    path = tmp_path / "feature.json"
    path.write_text(text)
    monkeypatch.setattr(model, "verified_path", lambda name: path)
    model.load.cache_clear()
    try:
        with pytest.raises(WeightsCorrupt, match=r"feature\.json"):
            model.load()
    finally:
        model.load.cache_clear()


def test_the_shipped_model_weighs_few_measures_and_knows_their_ranges():
    shipped = model.load()
    assert 3 <= sum(term.weight != 0 for term in shipped.terms.values()) <= 12
    assert all(term.genuine_low < term.genuine_high for term in shipped.terms.values())
