"""Mesh, rasteriser, inflation and shadows: the geometry that everything is shaded on."""

from __future__ import annotations

import numpy as np
import pytest

from relitalk.light import direction_of
from relitalk.matte import BULGE, SCREEN_CM, height_normals, inflate, snap_to_edges
from relitalk.mesh import Pose, face_mesh, fit_pose, vertex_normals
from relitalk.raster import rasterise
from relitalk.shadow import shadow_at


def rotation(yaw_deg: float, pitch_deg: float) -> np.ndarray:
    a, b = np.radians([yaw_deg, pitch_deg])
    yaw = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
    pitch = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    return yaw @ pitch


def test_the_pose_of_a_moved_face_is_found():
    true = Pose(7.5, rotation(25, -10), np.array([100.0, -120.0, 30.0]))
    found = fit_pose(true.apply(face_mesh().vertices_cm))
    assert found.scale == pytest.approx(7.5, rel=1e-4)
    assert np.allclose(found.rotation, true.rotation, atol=1e-4)
    assert found.yaw_deg == pytest.approx(25, abs=0.1)


def test_a_face_seen_from_the_front_has_its_normals_towards_the_viewer():
    mesh = face_mesh()
    normals = vertex_normals(mesh.vertices_cm.astype(float), mesh.triangles)
    assert np.allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-6)
    assert np.mean(normals[:, 2] > 0) > 0.95
    assert normals[1, 2] > 0.3  # the tip of the nose


def test_the_nearer_triangle_hides_the_other():
    far = [[0, 0, 1], [0, 30, 1], [30, 0, 1]]
    near = [[0, 0, 5], [0, 16, 5], [16, 0, 5]]
    points = np.array(far + near, float)
    values = np.array([[1.0]] * 3 + [[2.0]] * 3)
    depth, drawn = rasterise(points, np.array([[0, 1, 2], [3, 4, 5]], np.int32), values, 32)
    assert drawn[3, 3, 0] == 2
    assert drawn[12, 12, 0] == 1
    assert np.isneginf(depth[30, 30])


def test_a_triangle_seen_from_behind_is_not_drawn():
    points = np.array([[0, 0, 1], [30, 0, 1], [0, 30, 1]], float)
    depth, _ = rasterise(points, np.array([[0, 1, 2]], np.int32), np.ones((3, 1)), 32)
    assert np.isneginf(depth).all()


def test_a_disc_swells_to_a_dome():
    y, x = np.mgrid[0:128, 0:128] - 63.5
    radius = 40.0
    inside = x * x + y * y < radius * radius
    height = inflate(inside, np.full(inside.shape, np.nan), px_per_cm=1e6)  # nothing is screened
    true = np.sqrt(np.maximum(0, BULGE / 4 * (radius**2 - x * x - y * y)))
    assert np.abs(height - true)[inside].mean() < 0.05 * radius
    normals = height_normals(height)
    assert normals[64, 64, 2] > 0.99
    assert normals[64, 64 + 30, 0] > 0.4
    assert normals[64 - 30, 64, 1] > 0.4  # up in the picture is up


def test_what_is_wide_stays_flat():
    inside = np.ones((128, 128), bool)
    inside[:, 0] = False
    height = inflate(inside, np.full(inside.shape, np.nan), px_per_cm=5.0)
    assert height.max() <= 1.01 * SCREEN_CM * 5.0 * BULGE**0.5


def test_known_heights_are_kept():
    inside = np.ones((64, 64), bool)
    known = np.full((64, 64), np.nan)
    known[20:40, 20:40] = 9.0
    assert np.allclose(inflate(inside, known, 5.0)[20:40, 20:40], 9.0)


def test_the_matte_moves_to_the_pictures_edge():
    image = np.zeros((64, 64, 3), np.uint8)
    image[:, 32:] = 200
    matte = np.clip((np.arange(64) - 26) / 8, 0, 1).astype(np.float32)[None].repeat(64, 0)  # 2 px beside it, and soft
    snapped = snap_to_edges(matte, image)
    assert matte[32, 32] - matte[32, 31] < 0.13
    assert snapped[32, 32] - snapped[32, 31] > 0.3
    assert np.argmax(np.diff(snapped[32])) == 31


def shaded(x: float, azimuth: float) -> float:
    """Light from the side on a plane with a wall 20 px high at x = 60..66."""
    height = np.zeros((128, 128), np.float32)
    height[:, 60:66] = 20
    at = np.array([x], np.float32)
    y, z = np.array([64], np.float32), np.zeros(1, np.float32)
    return float(shadow_at(height, np.ones((128, 128), bool), at, y, z, direction_of(azimuth, 0), 0.1, 5.0)[0])


def test_a_wall_throws_its_shadow_away_from_the_light():
    assert shaded(50, azimuth=60) == 0  # the light is at the right, the wall between
    assert shaded(76, azimuth=60) == 1
    assert shaded(76, azimuth=-60) == 0
    assert shaded(20, azimuth=60) == 1  # beyond the shadow's end at tan 60° × 20 px
    assert shaded(50, azimuth=0) == 1


def test_a_shadows_edge_is_soft():
    edge = [shaded(x, azimuth=60) for x in np.linspace(15, 40, 40)]
    assert 0 < sum(0.02 < value < 0.98 for value in edge) < 30
