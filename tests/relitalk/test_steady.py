"""What trembles is steadied, the mean goes where the face goes, and a turning light is not blurred."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from relitalk.geometry import CANVAS_PX, Canvas
from relitalk.render import Overlay
from relitalk.steady import REACH_S, STEADY_FRAMES, Lit, reach_s, steadied

RATE_HZ = 25.0
CANVAS = Canvas(0.0, 0.0, 1.0)
SIDE = np.linspace(90, 160, 24)
POINTS = np.stack([*np.meshgrid(SIDE, SIDE), np.zeros((24, 24))], axis=-1).reshape(-1, 3)


def lit(frame: int, gain, added: float = 0.0, moved_px: float = 0.0, turn_deg: float = 0.0) -> Lit:
    """A face in frame `frame`, `moved_px` to the right and turned: steadying asks no more of its geometry."""
    shape = (CANVAS_PX, CANVAS_PX, 3)
    overlay = Overlay(CANVAS, np.full(shape, gain, np.float32), np.full(shape, added, np.float32))
    sine, cosine = np.sin(np.radians(turn_deg)), np.cos(np.radians(turn_deg))
    pose = SimpleNamespace(rotation=np.array([[cosine, 0, sine], [0, 1, 0], [-sine, 0, cosine]]))
    geometry = SimpleNamespace(points_px=POINTS + np.array([moved_px, 0, 0]), pose=pose)
    return Lit(frame / RATE_HZ, POINTS, geometry, overlay)


def steady(faces: list[Lit], at: int) -> Overlay:
    near = [face for i, face in enumerate(faces) if 0 < abs(i - at) <= STEADY_FRAMES]
    return steadied(faces[at], near, REACH_S)


def test_a_trembling_light_is_steadied():
    trembling = [lit(i, 1 + 0.1 * (-1) ** i, 0.02 * (i % 2)) for i in range(12)]
    found = [steady(trembling, i) for i in range(3, 9)]

    def second(overlays):
        return np.abs(np.diff([each.gain[0, 0, 0] for each in overlays], 2)).mean()

    assert second(found) < second([each.overlay for each in trembling]) / 8
    assert found[-1].gain.mean() == pytest.approx(1, abs=0.02)
    assert found[-1].added.mean() == pytest.approx(0.01, abs=0.002)


def test_a_light_that_moves_evenly_does_not_lag():
    moving = [lit(i, 1 + 0.1 * i) for i in range(9)]
    assert steady(moving, 4).gain.mean() == pytest.approx(1.4, abs=1e-4)


def test_the_mean_goes_with_the_face():
    def spot(i):
        gain = np.ones((CANVAS_PX, CANVAS_PX, 3))
        gain[124:129, 98 + 4 * i : 103 + 4 * i] = 2
        return lit(i, gain, moved_px=4 * i)

    found = steady([spot(i) for i in range(9)], 4).gain[126, :, 0]
    assert found[116] == pytest.approx(2, abs=0.01)
    assert found[[104, 128]] == pytest.approx(1, abs=0.01), "nothing stays where the face was or will be"


def test_frames_far_apart_stay_their_own():
    slow = [Lit(i * REACH_S, POINTS, lit(i, 1.0).geometry, lit(i, 1.0 + i).overlay) for i in range(3)]
    assert steady(slow, 1).gain.mean() == 2


def test_a_light_that_turns_fast_is_not_blurred():
    assert reach_s(None) == reach_s(60.0) == REACH_S
    assert reach_s(1.0) == pytest.approx(0.025)


def test_a_head_that_turned_counts_less():
    turned = lit(1, 2.0, turn_deg=10.0)
    assert steadied(lit(0, 1.0), [turned], REACH_S).gain.mean() == pytest.approx(1, abs=0.02)
    assert steadied(lit(0, 1.0), [lit(1, 2.0)], REACH_S).gain.mean() > 1.4
