from __future__ import annotations

from math import inf

import pytest

from detection.records.schema import Deviation, ModuleOutcome
from detection.web.deviations import deviations, reach


def test_what_deviates_comes_first() -> None:
    inside = Deviation("a", 1, 5.0, 0.0, 10.0, "")
    outside = Deviation("b", 1, 20.0, 0.0, 10.0, "", (0.0, 1.0), (20.0, 0.0))
    further = Deviation("c", 2, -30.0, 0.0, 10.0, "")
    found = deviations(ModuleOutcome("feature", None, "no_result", deviations=(inside, outside, further)))
    assert [(card.deviation.feature, card.beyond) for card in found.outside] == [
        ("c", "300\u00a0%"),
        ("b", "100\u00a0%"),
    ]
    assert [(card.deviation.feature, card.beyond) for card in found.inside] == [("a", "")]
    card = found.outside[1]
    assert card.points == "0.00,0.00 100.00,100.00"
    assert (card.from_s, card.to_s) == (0.0, 1.0)
    assert float(card.value_x[:-1]) > float(card.genuine_x[:-1]) + float(card.genuine_width[:-1])


def test_what_is_just_outside_is_not_outside_by_nothing() -> None:
    just = Deviation("a", 1, 10.01, 0.0, 10.0, "")
    (card,) = deviations(ModuleOutcome("feature", None, "no_result", deviations=(just,))).outside
    assert card.beyond == "<\u00a01\u00a0%"


@pytest.mark.parametrize(("value", "reached"), [(0.0, 0.0), (1.0, inf)])
def test_a_range_without_width_can_be_drawn(value: float, reached: float) -> None:
    deviation = Deviation("a", 1, value, 0.0, 0.0, "")
    found = deviations(ModuleOutcome("feature", None, "no_result", deviations=(deviation,)))
    (card,) = (*found.inside, *found.outside)
    assert card.value_x.endswith("%")
    assert reach(deviation) == reached
    assert card.beyond == ""
