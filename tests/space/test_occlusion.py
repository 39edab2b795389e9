"""What is hidden, and that the map shows what a score rests on."""

from __future__ import annotations

import numpy as np
import pytest

from detection.space.occlusion import FULL_CHANGE, GRID, sensitivity

CROP = np.random.default_rng(0).integers(0, 255, (100, 100, 3), dtype=np.uint8)


def test_the_part_that_a_score_rests_on_is_brightest():
    def detail_at_the_lower_left(crops):
        return crops[:, 80:, :20].reshape(len(crops), -1).std(axis=1) / 400

    found = sensitivity(detail_at_the_lower_left, CROP)
    assert np.unravel_index(found.argmax(), found.shape) == (GRID - 1, 0)
    assert found[GRID - 1, 0] > 0.2
    assert found[:3, 2:].max() < 0.01  # far away nothing is hidden of it


@pytest.mark.parametrize(("change", "shown"), [(FULL_CHANGE / 2, 0.5), (-FULL_CHANGE / 2, 0.5), (3 * FULL_CHANGE, 1.0)])
def test_a_score_that_falls_counts_as_one_that_rises_up_to_a_limit(change, shown):
    def changed_when_hidden(crops):
        return np.where(np.arange(len(crops)) > 0, 0.5 + change, 0.5)

    assert sensitivity(changed_when_hidden, CROP) == pytest.approx(np.full((GRID, GRID), shown))
