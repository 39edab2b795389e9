from __future__ import annotations

import numpy as np
import pytest

from detection.vision import following
from detection.vision.following import MAX_MISSED, FaceFollower, is_same
from detection.vision.types import Box, Image
from tests.vision import clips


def tracks_of(frames: list[Image]) -> list[list[int]]:
    follower = FaceFollower()
    return [[track for track, _ in follower.step(frame, i == 0)] for i, frame in enumerate(frames)]


def test_a_moving_face_is_one_track() -> None:
    frames = list(clips.moving_face(60, (480, 360)))[::2]
    assert tracks_of(frames) == [[0]] * 30


def test_the_detector_rests_while_a_face_is_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    detect = following.detect_faces

    def counted(image: Image, side_px: int) -> list[following.Detection]:
        calls.append(side_px)
        return detect(image, side_px)

    monkeypatch.setattr(following, "detect_faces", counted)
    tracks_of(list(clips.moving_face(40, (480, 360)))[::2])
    assert calls.count(following.THOROUGH_SIDE_PX) == 2
    assert calls.count(following.QUICK_SIDE_PX) <= 10


def test_two_faces_are_two_tracks_that_keep_their_numbers() -> None:
    frames = [np.hstack([a, b[:, ::-1]]) for a, b in zip(clips.moving_face(20), clips.moving_face(20), strict=True)]
    follower = FaceFollower()
    for i, frame in enumerate(frames):
        sides = {track: face.box.centre[0] < 320 for track, face in follower.step(np.ascontiguousarray(frame), i == 0)}
        if i == 0:
            first = sides
        assert sides == first
    assert len(first) == 2


def test_a_new_shot_begins_new_tracks() -> None:
    follower = FaceFollower()
    frames = list(clips.moving_face(4))
    numbers = [[track for track, _ in follower.step(frame, i in (0, 2))] for i, frame in enumerate(frames)]
    assert numbers == [[0], [0], [1], [1]]


def test_a_face_that_is_hidden_shortly_keeps_its_track() -> None:
    face, wall = next(clips.moving_face(1)), np.full((240, 320, 3), 120, np.uint8)
    assert tracks_of([face] * 3 + [wall] * 3 + [face] * 3) == [[0]] * 3 + [[]] * 3 + [[0]] * 3


def test_a_face_that_comes_back_later_begins_a_new_track() -> None:
    face, wall = next(clips.moving_face(1)), np.full((240, 320, 3), 120, np.uint8)
    numbers = tracks_of([face] * 2 + [wall] * (MAX_MISSED + 1) + [face] * 2)
    assert numbers[-2:] == [[1], [1]]


def test_a_face_that_enters_is_found_within_a_second() -> None:
    alone = [np.hstack([f, np.full_like(f, 90)]) for f in clips.moving_face(4)]
    both = [np.hstack([f, f[:, ::-1]]) for f in clips.moving_face(14)]
    assert len(tracks_of([np.ascontiguousarray(f) for f in alone + both])[-1]) == 2


def test_no_face_no_track() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (240, 320, 3), dtype=np.uint8)
    assert tracks_of([noise] * 3) == [[], [], []]


def test_a_mesh_that_slid_off_its_face_is_put_back() -> None:
    """A patch of the same face below it draws the mesh away, as hands and microphones do."""
    follower = FaceFollower()
    frame = next(clips.moving_face(1, (480, 360)))
    ((track, face),) = follower.step(frame, True)
    slid = np.roll(frame, 45, axis=0)
    follower._followed[0].face = following.fit_faces(slid, following.detect_faces(slid))[0]
    assert np.linalg.norm(np.subtract(follower._followed[0].face.box.centre, face.box.centre)) > 40
    ((again, put_back),) = [follower.step(frame, False) for _ in range(2)][-1]
    assert again == track
    assert np.linalg.norm(np.subtract(put_back.box.centre, face.box.centre)) < 5


def test_sameness_of_boxes() -> None:
    box = Box(100, 100, 50, 60)
    assert is_same(box, Box(110, 95, 55, 66))
    assert not is_same(box, Box(160, 100, 50, 60))
    assert not is_same(box, Box(60, 50, 130, 160))
