from __future__ import annotations

from dataclasses import replace

import numpy as np

from detection.vision.keyframes import (
    KEY_FRAMES,
    MAX_SCENES,
    Candidate,
    KeyFramePicker,
    Scene,
    Why,
    reasons,
    spread,
    worth,
)
from detection.vision.types import FaceQuality

GOOD = FaceQuality(120, 0.3, 0, 0, 0)
SCENE = Scene(np.zeros((4, 4, 3), np.uint8), 1.0)


def picture(width: int = 64, height: int = 36) -> np.ndarray:
    return np.zeros((height, width, 3), np.uint8)


def test_key_frames_are_spread_over_the_whole_time() -> None:
    picker = KeyFramePicker()
    for sample in range(240):
        picker.offer(0, sample, GOOD, picture())
    samples = [c.sample for c in picker.key_frames([0])]
    assert len(samples) == KEY_FRAMES
    assert samples == sorted(samples)
    assert samples[0] < 40
    assert samples[-1] > 200
    assert max(np.diff(samples)) < 80


def test_the_best_of_each_stretch_is_taken() -> None:
    picker = KeyFramePicker()
    for sample in range(16):
        quality = replace(GOOD, sharpness=0.5) if sample in (4, 8) else GOOD
        picker.offer(0, sample, quality, picture())
    assert [c.sample for c in picker.key_frames([0])] == [4, 8]


def test_scenes_are_scaled_and_shared_by_the_people_in_them() -> None:
    picker = KeyFramePicker()
    image = picture(1920, 1080)
    for track in (0, 1):
        picker.offer(track, 0, GOOD, image)
    (a,), (b,) = picker.key_frames([0]), picker.key_frames([1])
    assert a.scene is b.scene
    assert a.scene.image.shape == (540, 960, 3)
    assert a.scene.scale == 0.5


def test_the_number_of_scenes_in_memory_is_bounded() -> None:
    picker = KeyFramePicker()
    for sample in range(0, 960, 4):
        picker.offer(sample // 80, sample, GOOD, picture())  # twelve tracks of eighty frames
    kept = [picker.key_frames([track]) for track in range(12)]
    assert len({id(c.scene) for track in kept for c in track}) <= MAX_SCENES
    assert all(kept)


def test_every_track_keeps_one_key_frame() -> None:
    picker = KeyFramePicker()
    for sample in range(0, 1600, 4):
        picker.offer(sample // 40, sample, GOOD, picture())
    assert all(picker.key_frames([track]) for track in range(40))


def test_a_person_of_several_tracks_has_key_frames_of_all() -> None:
    picker = KeyFramePicker()
    for sample in range(0, 160):
        picker.offer(sample // 80, sample, GOOD, picture())
    chosen = picker.key_frames([0, 1])
    assert len(chosen) == KEY_FRAMES
    assert {c.track for c in chosen} == {0, 1}


def test_of_two_close_in_time_the_worse_goes() -> None:
    candidates = [Candidate(0, s, score, SCENE) for s, score in ((0, 1.0), (40, 1.0), (44, 3.0), (90, 1.0))]
    assert [c.sample for c in spread(candidates, 3)] == [0, 44, 90]
    assert [c.sample for c in spread(candidates, 1)] == [44]


def test_worth_prefers_large_sharp_frontal_usable() -> None:
    assert worth(GOOD) > worth(replace(GOOD, size_px=60))
    assert worth(GOOD) > worth(replace(GOOD, sharpness=0.1))
    assert worth(GOOD) > worth(replace(GOOD, yaw_deg=-50))
    assert worth(GOOD) > worth(replace(GOOD, reasons=("blurred",)))


def test_every_key_frame_has_a_reason() -> None:
    blurred = replace(GOOD, sharpness=0.01, reasons=("blurred",))
    large = replace(GOOD, size_px=300, yaw_deg=30)
    sharp = replace(GOOD, sharpness=0.6, yaw_deg=-20)
    turned = replace(GOOD, yaw_deg=40)
    assert reasons([blurred, turned, large, sharp, GOOD, turned]) == [
        (Why.BEST_OF_STRETCH,),
        (Why.FIRST_CLEAR,),
        (Why.LARGEST,),
        (Why.SHARPEST,),
        (Why.MOST_FRONTAL,),
        (Why.BEST_OF_STRETCH,),
    ]


def test_a_single_face_is_not_the_largest_of_anything() -> None:
    assert reasons([GOOD]) == [(Why.FIRST_CLEAR,)]
    assert reasons([replace(GOOD, reasons=("too_small",))]) == [(Why.BEST_OF_STRETCH,)]
