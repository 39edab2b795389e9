"""The face mesh: MediaPipe's canonical 468 vertices, posed by the landmarks of each frame.

Posed coordinates are (right, up, viewer) in pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detection.inference.weights import verified_path

Array = NDArray[Any]

# Vertices that hold still while a face speaks, and their weights, from MediaPipe's face geometry metadata (Apache-2.0);
# those off the middle line come in mirrored pairs.
_RIGID_MIDDLE = {4: 0.0709, 6: 0.0321, 10: 0.0084}
_RIGID_PAIRS = {
    (33, 263): 0.0587, (54, 284): 0.0077, (67, 297): 0.0091, (117, 346): 0.0098, (119, 348): 0.0146, (121, 350): 0.0186,
    (127, 356): 0.0052, (129, 358): 0.1206, (132, 361): 0.0056, (133, 362): 0.0533, (136, 365): 0.0669,
    (143, 372): 0.0148, (147, 376): 0.0143, (198, 420): 0.0255, (205, 425): 0.0473,
}  # fmt: skip
_RIGID = _RIGID_MIDDLE | {vertex: weight for pair, weight in _RIGID_PAIRS.items() for vertex in pair}

# Outlines, as vertex numbers.
LEFT_EYE = (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246)
RIGHT_EYE = (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466)
LIPS = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185)
MOUTH = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191)
LEFT_BROW = (70, 63, 105, 66, 107, 55, 65, 52, 53, 46)
RIGHT_BROW = (300, 293, 334, 296, 336, 285, 295, 282, 283, 276)
MOUTH_CORNERS = (61, 291)
CHIN = 152
FEATURES = (LEFT_EYE, RIGHT_EYE, LIPS, LEFT_BROW, RIGHT_BROW)  # what is not plain skin


@dataclass(frozen=True)
class FaceMesh:
    """The canonical face: `vertices_cm` (468, 3) as (right, up, viewer), `uv` (468, 2) in 0..1, `triangles` (898,
    3).
    """

    vertices_cm: Array
    uv: Array
    triangles: Array

    @property
    def skin_triangles(self) -> Array:
        """The triangles (T, 3) that touch neither eyes, brows nor lips: where skin alone is seen."""
        features = np.array([vertex for outline in (*FEATURES, MOUTH) for vertex in outline])
        return self.triangles[~np.isin(self.triangles, features).any(axis=1)]


@dataclass(frozen=True)
class Pose:
    """Canonical to posed: `scale` in pixels per centimetre, `rotation` (3, 3), `origin_px` (3,)."""

    scale: float
    rotation: Array
    origin_px: Array

    def apply(self, points_cm: Array) -> Array:
        """Canonical points (N, 3) → posed points (N, 3) in pixels."""
        posed: Array = self.scale * points_cm @ self.rotation.T + self.origin_px
        return posed

    @property
    def yaw_deg(self) -> float:
        """How far the head is turned to the viewer's right."""
        return float(np.degrees(np.arctan2(self.rotation[0, 2], self.rotation[2, 2])))


@cache
def face_mesh() -> FaceMesh:
    """The canonical face, read once per process. Raises WeightsMissing, WeightsCorrupt."""
    with np.load(verified_path("canonical_face")) as arrays:
        return FaceMesh(arrays["vertices_cm"], arrays["uv"], arrays["triangles"])


def fit_pose(points_px: Array) -> Pose:
    """The similarity transform of the canonical face that fits posed points (468, 3) best (weighted; Umeyama 1991)."""
    vertices = np.fromiter(_RIGID, int)
    weights = np.fromiter(_RIGID.values(), float)
    weights /= weights.sum()
    source, target = face_mesh().vertices_cm[vertices].astype(float), points_px[vertices].astype(float)
    source_mean, target_mean = weights @ source, weights @ target
    source, target = source - source_mean, target - target_mean
    left, singular, right = np.linalg.svd((target * weights[:, None]).T @ source)
    mirror = np.array([1.0, 1.0, np.sign(np.linalg.det(left @ right))])
    rotation = (left * mirror) @ right
    scale = float((singular * mirror).sum() / (weights @ (source**2).sum(axis=1)))
    return Pose(scale, rotation, target_mean - scale * rotation @ source_mean)


def triangle_normals(points_px: Array, triangles: Array) -> Array:
    """Normals (T, 3) of posed triangles, as long as twice the triangle's area."""
    a, b, c = (points_px[triangles[:, corner]] for corner in range(3))
    normals: Array = np.cross(b - a, c - a)
    return normals


def vertex_normals(points_px: Array, triangles: Array) -> Array:
    """Unit normals (N, 3) of posed vertices, each the area-weighted mean of its triangles."""
    faces = triangle_normals(points_px, triangles)
    corners = triangles.reshape(-1)
    normals = np.stack(
        [np.bincount(corners, np.repeat(faces[:, axis], 3), len(points_px)) for axis in range(3)], axis=1
    )
    units: Array = normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    return units
