from __future__ import annotations

import cv2
import numpy as np
import pytest

from detection.vision.detector import detect_faces
from detection.vision.faces import crop_face, face_box, find_faces, follow_faces
from detection.vision.landmarks import roi_of_mesh
from detection.vision.types import CROP_SCALE, Box, Image

# Read off the picture by eye, pixels.
LEFT_EYE, RIGHT_EYE, NOSE, MOUTH = (202, 101), (246, 104), (222, 129), (223, 141)


def test_the_face_and_its_points_are_where_they_are_seen(astronaut: Image) -> None:
    (face,) = find_faces(astronaut)
    assert face.confidence > 0.8
    expected = [LEFT_EYE, RIGHT_EYE, NOSE]
    np.testing.assert_allclose(face.points_px[:3], expected, atol=4)
    np.testing.assert_allclose(face.points_px[3:].mean(axis=0), MOUTH, atol=6)
    assert face.landmarks_px.shape == (468, 3)
    assert face.box == face_box(face.landmarks_px)


@pytest.mark.parametrize("angle_deg", [-35, 20, 45])
def test_a_tilted_head_gives_the_same_mesh_tilted(astronaut: Image, angle_deg: float) -> None:
    matrix = cv2.getRotationMatrix2D((225, 125), angle_deg, 1.0)
    (upright,) = find_faces(astronaut)
    (tilted,) = find_faces(cv2.warpAffine(astronaut, matrix, (512, 512)))
    expected = upright.landmarks_px[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    error = np.linalg.norm(tilted.landmarks_px[:, :2] - expected, axis=1)
    assert np.median(error) < 2.0


def test_a_large_face_gives_the_same_mesh_large(astronaut: Image) -> None:
    (small,) = find_faces(astronaut)
    (large,) = find_faces(cv2.resize(astronaut, None, fx=6, fy=6, interpolation=cv2.INTER_CUBIC))
    error = np.linalg.norm(large.landmarks_px[:, :2] / 6 - small.landmarks_px[:, :2], axis=1)
    assert np.median(error) < 1.5


def test_a_small_face_in_a_large_picture_is_found(astronaut: Image) -> None:
    scene = np.full((1080, 1920, 3), 90, np.uint8)
    shrunk = cv2.resize(astronaut, (260, 260), interpolation=cv2.INTER_AREA)  # its face is 45 px
    scene[700:960, 1500:1760] = shrunk
    (face,) = find_faces(scene)
    assert abs(face.points_px[2][0] - (1500 + NOSE[0] * 260 / 512)) < 5


def test_no_face_no_result() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (360, 640, 3), dtype=np.uint8)
    assert find_faces(noise) == []
    assert find_faces(np.zeros((1, 1, 3), np.uint8)) == []


def test_two_faces_are_two(astronaut: Image) -> None:
    pair = np.hstack([astronaut, astronaut[:, ::-1]])
    faces = find_faces(pair)
    noses = sorted(float(f.points_px[2][0]) for f in faces)
    assert noses == pytest.approx([NOSE[0], 1023 - NOSE[0]], abs=4)


def test_a_face_is_followed_and_its_absence_noticed(astronaut: Image) -> None:
    (face,) = find_faces(astronaut)
    roi = roi_of_mesh(face.landmarks_px)
    moved = np.roll(astronaut, 12, axis=1)
    (followed,) = follow_faces(moved, [roi])
    assert followed is not None
    assert abs(followed.points_px[2][0] - face.points_px[2][0] - 12) < 2.5
    assert follow_faces(np.full_like(astronaut, 80), [roi]) == [None]


def test_detection_leaves_the_points_in_picture_pixels_whatever_the_scale(astronaut: Image) -> None:
    (thorough,) = detect_faces(astronaut, 512)
    (quick,) = detect_faces(astronaut, 320)
    np.testing.assert_allclose(quick.points_px, thorough.points_px, atol=6)


def test_the_crop_is_the_square_it_says(astronaut: Image) -> None:
    box = Box(190, 80, 70, 90)
    crop, matrix = crop_face(astronaut, box)
    assert crop.shape == (256, 256, 3)
    assert matrix[0, 0] == pytest.approx(256 / (CROP_SCALE * 90), rel=0.01)
    centre = matrix @ (225, 125, 1)
    np.testing.assert_allclose(centre, (127.5, 127.5), atol=2)
    # The matrix says where the crop's pixels come from: warping with it gives the crop again.
    warped = cv2.warpAffine(astronaut, matrix, (256, 256), flags=cv2.INTER_LINEAR)
    assert np.abs(warped.astype(int) - crop).mean() < 1.0


def test_beyond_the_edge_the_crop_is_the_mirrored_picture() -> None:
    picture = np.random.default_rng(0).integers(0, 255, (40, 50, 3), dtype=np.uint8)
    crop, matrix = crop_face(picture, Box(-10, 5, 20, 20), size_px=28)
    assert matrix[0, 0] == 1.0
    np.testing.assert_array_equal(crop[:, 14:], picture[1:29, :14])
    np.testing.assert_array_equal(crop[:, :14], picture[1:29, 14:0:-1])


def test_a_box_larger_than_the_picture_can_be_cut() -> None:
    crop, _ = crop_face(np.full((4, 3, 3), 7, np.uint8), Box(-50, -50, 200, 200))
    assert (crop == 7).all()
