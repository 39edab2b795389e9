"""What trembles is steadied, where the face goes it goes along, and what is new starts anew."""

from __future__ import annotations

import numpy as np
import pytest

from relitalk.geometry import CANVAS_PX, Canvas
from relitalk.render import Overlay
from relitalk.steady import MEMORY_S, Steadier, memory_s

RATE_HZ = 25.0
CANVAS = Canvas(0.0, 0.0, 1.0)
SIDE = np.linspace(90, 160, 24)
POINTS = np.stack([*np.meshgrid(SIDE, SIDE), np.zeros((24, 24))], axis=-1).reshape(-1, 3)


def even(gain: float, added: float = 0.0) -> Overlay:
    shape = (CANVAS_PX, CANVAS_PX, 3)
    return Overlay(CANVAS, np.full(shape, gain, np.float32), np.full(shape, added, np.float32))


def spot(x: int) -> Overlay:
    overlay = even(1.0)
    overlay.gain[124:129, x - 2 : x + 3] = 2.0
    return overlay


def test_a_trembling_light_is_steadied():
    steadier = Steadier()
    trembling = [even(1 + 0.1 * (-1) ** i, 0.02 * (i % 2)) for i in range(24)]
    steady = [steadier.step(each, POINTS, i, i / RATE_HZ) for i, each in enumerate(trembling)]

    def second(overlays):
        return np.abs(np.diff([each.gain[0, 0, 0] for each in overlays], 2)[-4:]).mean()

    assert second(steady) < second(trembling) / 5
    assert steady[-1].gain.mean() == pytest.approx(1, abs=0.02)
    assert steady[-1].added.mean() == pytest.approx(0.01, abs=0.002)


def test_the_light_goes_with_the_face():
    steadier = Steadier()
    for i in range(8):
        found = steadier.step(spot(100 + 4 * i), POINTS + np.array([4 * i, 0, 0]), i, i / RATE_HZ)
    assert found.gain[126, 128, 0] == pytest.approx(2, abs=0.01)
    assert found.gain[126, 120, 0] == pytest.approx(1, abs=0.01), "nothing stays where the face was"


def test_twice_the_frames_remember_the_same_time():
    def after(rate_hz):
        steadier = Steadier()
        steadier.step(even(1.0), POINTS, 0, 0.0)
        for i in range(1, round(0.2 * rate_hz) + 1):
            found = steadier.step(even(2.0), POINTS, i, i / rate_hz)
        return found.gain.mean()

    assert after(50.0) == pytest.approx(after(25.0), abs=0.001)
    assert 1.7 < after(25.0) < 1.8  # 1 − exp(−0.2 / MEMORY_S)


def test_a_face_that_was_away_starts_anew():
    steadier = Steadier()
    steadier.step(even(1.0), POINTS, 0, 0.0)
    assert steadier.step(even(2.0), POINTS, 2, 0.08).gain.mean() == 2


def test_a_light_that_turns_is_remembered_shortly():
    assert memory_s(None) == memory_s(60.0) == MEMORY_S
    assert memory_s(1.0) == pytest.approx(0.025)
