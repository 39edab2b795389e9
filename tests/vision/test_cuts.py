from __future__ import annotations

import numpy as np
import skimage.data

from detection.vision.cuts import CutDetector
from tests.vision import clips


def cuts(frames: list[np.ndarray]) -> list[int]:
    detector = CutDetector()
    return [i for i, frame in enumerate(frames) if detector.is_cut(np.ascontiguousarray(frame))]


def test_the_first_frame_begins_a_shot() -> None:
    assert cuts([clips.astronaut()]) == [0]


def test_a_moving_camera_is_no_cut() -> None:
    assert cuts(list(clips.moving_face(40))[::3]) == [0]


def test_another_scene_is_a_cut() -> None:
    coffee = skimage.data.coffee()[:400, :512]
    frames = [clips.astronaut()[i : 400 + i] for i in range(5)]
    frames += [coffee[:, i : 500 + i] for i in range(5)]
    frames += [clips.astronaut()[i : 400 + i] for i in range(5)]
    assert cuts(frames) == [0, 5, 10]


def test_another_crop_of_a_dark_scene_is_a_cut() -> None:
    dark = clips.astronaut() // 4
    assert cuts([dark[:240, 60:380], dark[:240, 62:382], dark[260:500, 180:500]]) == [0, 2]


def test_noise_on_a_black_screen_is_no_cut() -> None:
    rng = np.random.default_rng(0)
    assert cuts([rng.integers(0, 4, (90, 160, 3), dtype=np.uint8) for _ in range(6)]) == [0]


def test_a_flash_of_light_within_a_shot() -> None:
    scene = clips.astronaut()
    brighter = np.clip(scene.astype(int) + 40, 0, 255).astype(np.uint8)
    assert cuts([scene, scene, brighter, scene]) == [0]
