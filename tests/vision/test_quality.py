from __future__ import annotations

import cv2
import numpy as np
import pytest

from detection.inference.weights import verified_path
from detection.vision.faces import crop_face, find_faces
from detection.vision.quality import head_pose_deg, measure, sharpness
from detection.vision.types import FaceQuality, Image


def quality_of(image: Image) -> FaceQuality:
    (face,) = find_faces(image)
    crop, _ = crop_face(image, face.box)
    height, width = image.shape[:2]
    return measure(face.landmarks_px, max(face.box.width, face.box.height), crop, (width, height))


def turned_head(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """The canonical face, turned by Euler angles in the picture's axes (x right, y down, z away from the viewer)."""
    with np.load(verified_path("canonical_face")) as face:
        points = face["vertices_cm"] * (1, -1, -1)
    y, p, r = np.radians((yaw, pitch, roll))
    about_y = np.array([[np.cos(y), 0, -np.sin(y)], [0, 1, 0], [np.sin(y), 0, np.cos(y)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(p), np.sin(p)], [0, -np.sin(p), np.cos(p)]])
    about_z = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    return 20 * points @ (about_z @ about_y @ about_x).T + (300, 200, 0)


@pytest.mark.parametrize("yaw", [-60, -20, 0, 35])
def test_yaw_is_positive_towards_the_viewers_right(yaw: float) -> None:
    head = turned_head(yaw, 0, 0)
    assert head_pose_deg(head)[0] == pytest.approx(yaw, abs=0.5)
    nose, centre = head[1, 0], head[:, 0].mean()
    assert np.sign(nose - centre) == np.sign(yaw) or yaw == 0


@pytest.mark.parametrize("pitch", [-30, 0, 25])
def test_pitch_is_positive_looking_up(pitch: float) -> None:
    head = turned_head(0, pitch, 0)
    assert head_pose_deg(head)[1] == pytest.approx(pitch, abs=0.5)
    if pitch:
        assert np.sign(turned_head(0, 0, 0)[1, 1] - head[1, 1]) == np.sign(pitch)  # the nose goes up, y down


@pytest.mark.parametrize("roll", [-40, 15])
def test_roll_is_positive_clockwise(roll: float) -> None:
    head = turned_head(0, 0, roll)
    assert head_pose_deg(head)[2] == pytest.approx(roll, abs=0.5)
    left_eye, right_eye = head[33], head[263]
    assert np.sign(right_eye[1] - left_eye[1]) == np.sign(roll)


def test_a_good_face_is_usable(astronaut: Image) -> None:
    quality = quality_of(astronaut)
    assert quality.usable
    assert quality.size_px == pytest.approx(110, abs=8)
    assert abs(quality.yaw_deg) < 20
    assert abs(quality.roll_deg - 3) < 5


def test_a_small_face_is_too_small(astronaut: Image) -> None:
    small = cv2.resize(astronaut, (150, 150), interpolation=cv2.INTER_AREA)
    assert "too_small" in quality_of(small).reasons


def test_a_face_out_of_focus_is_blurred(astronaut: Image) -> None:
    assert "blurred" not in quality_of(cv2.GaussianBlur(astronaut, (0, 0), 1.0)).reasons
    assert "blurred" in quality_of(cv2.GaussianBlur(astronaut, (0, 0), 4.0)).reasons


def test_sharpness_is_that_of_the_face_not_of_its_light_or_distance(astronaut: Image) -> None:
    (face,) = find_faces(astronaut)
    crop, _ = crop_face(astronaut, face.box)
    dim = (crop * 0.5).astype(np.uint8)
    assert sharpness(dim) == pytest.approx(sharpness(crop), rel=0.1)
    assert sharpness(np.full_like(crop, 100)) == 0


def test_a_face_beyond_the_edge_is_cut_off(astronaut: Image) -> None:
    (face,) = find_faces(astronaut)
    crop, _ = crop_face(astronaut, face.box)
    outside = face.landmarks_px - (face.box.x + 0.5 * face.box.width, 0, 0)
    assert "cut_off" in measure(outside, 110, crop, (512, 512)).reasons


def test_a_face_half_beyond_the_side_is_cut_off_however_much_its_mesh_shrank(astronaut: Image) -> None:
    (face,) = find_faces(astronaut)
    crop, _ = crop_face(astronaut, face.box)
    beside = face.landmarks_px.copy()
    beside[:, 0] -= np.quantile(beside[:, 0], 0.04)
    assert measure(beside, 110, crop, (512, 512)).reasons == ("cut_off",)
    above = face.landmarks_px.copy()
    above[:, 1] -= np.quantile(above[:, 1], 0.04)  # a forehead
    assert measure(above, 110, crop, (512, 512)).reasons == ()


def test_a_head_turned_away_is_a_profile() -> None:
    crop = np.random.default_rng(0).integers(0, 255, (256, 256, 3), dtype=np.uint8)
    assert measure(turned_head(80, 0, 0), 300, crop, (2000, 2000)).reasons == ("profile",)
    assert measure(turned_head(60, 0, 0), 300, crop, (2000, 2000)).reasons == ()
