from __future__ import annotations

import numpy as np
import pytest

from detection.vision.scaling import shrink


@pytest.mark.parametrize(("width", "height"), [(640, 360), (320, 180), (500, 281), (64, 36), (1, 1), (1280, 720)])
def test_it_gives_the_size_that_was_asked_for(width: int, height: int) -> None:
    assert shrink(np.zeros((720, 1280, 3), np.uint8), width, height).shape == (height, width, 3)


def test_it_averages_and_does_not_alias() -> None:
    stripes = np.zeros((720, 1280, 3), np.uint8)
    stripes[:, ::2] = 255
    small = shrink(stripes, 300, 169)
    assert small.astype(int).std() < 12
    assert small.mean() == pytest.approx(127.5, abs=3)


def test_it_keeps_things_in_their_place() -> None:
    picture = np.zeros((600, 800, 3), np.uint8)
    picture[300:, 400:] = 200
    small = shrink(picture, 250, 188)
    assert small[97:, 128:].min() >= 195
    assert small[:91].max() <= 5
