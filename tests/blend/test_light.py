"""The light on a face: read back from heads that were lit on purpose."""

from __future__ import annotations

import numpy as np
import pytest

from detection.blend import steadiness
from detection.blend.light import light_on
from detection.records.schema import Span
from detection.vision.types import Box, Face, FaceQuality, Person
from relitalk.mesh import face_mesh, vertex_normals

SIDE_PX = 256
QUALITY = FaceQuality(size_px=180, sharpness=50, yaw_deg=0, pitch_deg=0, roll_deg=0)


def landmarks() -> np.ndarray:
    """The canonical face from the front, in pixels of a crop: x right, y down, z away from the viewer."""
    vertices = face_mesh().vertices_cm * (1, -1, -1)
    low, high = vertices[:, :2].min(0), vertices[:, :2].max(0)
    scale = 150 / (high - low).max()
    placed = vertices * scale
    placed[:, :2] += SIDE_PX / 2 - placed[:, :2].mean(0)
    return placed.astype(np.float32)


def lit(direction: tuple[float, float, float], time_s: float = 0.0, ambient: float = 0.3, gain: float = 0.5) -> Face:
    """A matt face under one light: every pixel as bright as the nearest vertex of the mesh."""
    points = landmarks()
    posed = points * (1, -1, -1)
    normals = vertex_normals(posed, face_mesh().triangles)
    unit = np.array(direction) / np.linalg.norm(direction)
    linear = np.clip(ambient + gain * np.clip(normals @ unit, 0, None), 0, 1)
    crop = np.full((SIDE_PX, SIDE_PX, 3), 60, np.uint8)
    ys, xs = np.mgrid[0:SIDE_PX, 0:SIDE_PX]
    nearest = ((xs[..., None] - points[:, 0]) ** 2 + (ys[..., None] - points[:, 1]) ** 2).argmin(-1)
    crop[:] = (255 * linear[nearest][..., None] ** (1 / 2.2) * (1.0, 0.85, 0.75)).astype(np.uint8)
    eye = np.array([[1, 0, 0], [0, 1, 0]], np.float32)
    box = Box(50, 50, 150, 150)
    return Face(0, time_s, box, 0.99, points[:5, :2], points, crop, eye, QUALITY)


@pytest.mark.parametrize(
    ("direction", "azimuth", "elevation"), [((0.7, 0, 0.7), 45, 0), ((-0.7, 0, 0.7), -45, 0), ((0, 0.6, 0.8), 0, 37)]
)
def test_the_direction_of_the_light_is_read_from_the_shading(direction, azimuth, elevation):
    light = light_on(lit(direction))
    assert light.azimuth_deg == pytest.approx(azimuth, abs=15)
    assert light.elevation_deg == pytest.approx(elevation, abs=15)


def test_a_more_directed_light_has_a_longer_key():
    soft, hard = (
        light_on(lit((0.7, 0, 0.7), ambient=0.6, gain=0.2)),
        light_on(lit((0.7, 0, 0.7), ambient=0.2, gain=0.6)),
    )
    assert hard.directedness > 2 * soft.directedness


def test_a_black_face_has_no_light():
    assert light_on(lit((0, 0, 1), ambient=0.0, gain=0.0)) is None


def person(faces: list[Face], number: int = 1) -> Person:
    return Person(number, tuple(faces), (Span(0.0, faces[-1].time_s),), ())


def test_a_light_that_jumps_swings_more_than_a_still_one():
    still = steadiness.lights_on(person([lit((0.5, 0, 0.9), 0.1 * i) for i in range(12)]))
    jumping = steadiness.lights_on(person([lit((0.6 * (-1) ** i, 0, 0.8), 0.1 * i) for i in range(12)]))
    assert steadiness.value_of(steadiness.measure(still)["light swing"]) < 2
    assert steadiness.value_of(steadiness.measure(jumping)["light swing"]) > 20
    by_name = {d.feature: d for d in steadiness.deviations(1, jumping)}
    assert by_name["light swing"].genuine_low < by_name["light swing"].genuine_high
    assert len(by_name["light swing"].series) == 12


def test_two_people_in_one_frame_are_compared():
    left = steadiness.lights_on(person([lit((0.7, 0, 0.7), 0.1 * i) for i in range(12)]))
    right = steadiness.lights_on(person([lit((-0.7, 0, 0.7), 0.1 * i) for i in range(12)], 2))
    found = {course.name: course for course in steadiness.courses(1, {1: left, 2: right})}
    assert np.median(found["light against person 2"].values) == pytest.approx(90, abs=25)
    assert np.median(found["light azimuth"].values) > 30


def test_few_faces_give_no_light():
    assert steadiness.lights_on(person([lit((0, 0, 1), 0.1 * i) for i in range(5)])) == []
    assert steadiness.deviations(1, []) == []
    assert steadiness.courses(1, {1: []}) == []
