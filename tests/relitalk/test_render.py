"""What is computed on the canvas: shadows that no box casts."""

from __future__ import annotations

import numpy as np

from relitalk.light import PRESETS
from relitalk.render import Key


def test_the_shadow_of_a_nose_is_soft_on_every_side(geometry):
    visible = Key.on(geometry, PRESETS["top"]).visible
    assert visible[geometry.inside].min() < 0.2, "there is a shadow"
    beside, below = (np.abs(np.diff(visible, axis=axis)).max() for axis in (1, 0))
    assert max(beside, below) < 0.25
