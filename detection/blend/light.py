"""The light on a face in one frame, from its shading.

The skin is taken as matt (Lambert): brightness = ambient + max(0, key · normal), fitted in linear light to some 300
points of the mesh, robustly, because skin is neither one colour nor quite matt. The direction of `key` is where the
light comes from, its length over the ambient part how directed the light is (after Johnson and Farid, "Exposing Digital
Forgeries in Complex Lighting Environments", 2007, with the mesh in place of the outline).

Directions are as the viewer sees the picture: azimuth + is right, elevation + is up, (0, 0) comes from the camera.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from detection.vision.types import Face, Image
from relitalk.mesh import CHIN, face_mesh, vertex_normals

Floats = NDArray[np.float64]

GAMMA = 2.2
BLUR_PX = 3.0  # in the crop: pores and noise are no shading
FACING = 0.25  # least z of a normal that is seen well enough
MIN_POINTS = 60
REWEIGHTINGS = 5
RIDGE = 1e-3
OUTLIER = 1.5  # robust standard deviations from which a point counts less (Huber)
BLACK, WHITE = 8.0, 247.0  # grey levels beyond which nothing is left of the shading
NECK_REACH = 0.22  # heights of the face below the chin, where the neck is looked for
SKIN_LIKE = 0.04  # difference of chromaticity (shares of red and green) from the face's up to which a patch is its neck
LINEAR = ((np.arange(256) / 255.0) ** GAMMA).astype(np.float32)


@dataclass(frozen=True)
class FaceLight:
    """The light on one face. `key` (3,) is (right, up, towards the viewer) over the ambient part.

    `misfit` is what the fit leaves, over the mean brightness; `brightness` the skin's mean, `neck` that of the patch
    below the chin, both in linear light 0 to 1, `neck` NaN where none is seen.
    """

    time_s: float
    key: Floats
    misfit: float
    brightness: float
    neck: float

    @property
    def direction(self) -> Floats:
        return self.key / max(float(np.linalg.norm(self.key)), 1e-9)

    @property
    def directedness(self) -> float:
        return float(np.linalg.norm(self.key))

    @property
    def azimuth_deg(self) -> float:
        return float(np.degrees(np.arctan2(self.key[0], self.key[2])))

    @property
    def elevation_deg(self) -> float:
        return float(np.degrees(np.arctan2(self.key[1], np.hypot(self.key[0], self.key[2]))))


@cache
def _skin() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The mesh's triangles (898, 3) and the numbers of the vertices that lie on plain skin."""
    mesh = face_mesh()
    return mesh.triangles, np.unique(mesh.skin_triangles)


def light_on(face: Face) -> FaceLight | None:
    """The light on a face; None where too little of its skin is seen, or it is burnt out or black."""
    triangles, skin = _skin()
    matrix = face.crop_from_frame.astype(np.float64)
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    points = face.landmarks_px.astype(np.float64)
    placed = points[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    posed = np.column_stack([placed[:, 0], -placed[:, 1], -points[:, 2] * scale])  # right, up, towards the viewer
    normals = vertex_normals(posed, triangles)[skin]
    grey = cv2.GaussianBlur(cv2.cvtColor(face.crop, cv2.COLOR_RGB2GRAY), (0, 0), BLUR_PX)
    where = np.round(placed[skin]).astype(int)
    inside = ((where >= 0) & (where < grey.shape[0])).all(axis=1)
    levels = grey[np.clip(where[:, 1], 0, grey.shape[0] - 1), np.clip(where[:, 0], 0, grey.shape[1] - 1)]
    seen = inside & (normals[:, 2] > FACING) & (levels > BLACK) & (levels < WHITE)
    if seen.sum() < MIN_POINTS:
        return None
    brightness = LINEAR[levels[seen]].astype(np.float64)
    fitted, misfit = _fit(normals[seen], brightness)
    key = fitted[1:] / max(fitted[0], 1e-3)
    neck = _neck(face.crop, grey, placed, where[seen])
    return FaceLight(face.time_s, key, misfit, float(brightness.mean()), neck)


def _fit(normals: Floats, brightness: Floats) -> tuple[Floats, float]:
    """Ambient and key (4,), and the root mean square of what they leave over the mean, both weighted robustly.

    Skin turned away from the light gets the ambient part alone, so which points those are is settled step by step.
    """
    weight, facing = np.ones(len(normals)), np.ones(len(normals))
    for _ in range(REWEIGHTINGS):
        design = np.column_stack([np.ones(len(normals)), normals * facing[:, None]])
        # A ridge on the key: a face seen from the front hardly tells ambient light from light along the camera's axis.
        squares = design.T @ (weight[:, None] * design) + np.diag([0, 1, 1, 1]) * RIDGE * weight.sum()
        fitted = np.linalg.solve(squares, design.T @ (weight * brightness))
        left = brightness - design @ fitted
        spread = 1.4826 * float(np.median(np.abs(left))) + 1e-6
        weight = np.minimum(1.0, OUTLIER * spread / np.maximum(np.abs(left), 1e-9))
        facing = (normals @ fitted[1:] > 0).astype(np.float64)
    return fitted, float(np.sqrt((weight * left**2).sum() / weight.sum()) / brightness.mean())


def _neck(crop: Image, grey: NDArray[np.uint8], placed: Floats, skin: NDArray[np.int64]) -> float:
    """Mean brightness of the patch below the chin, a tenth of the face wide; NaN outside the crop.

    NaN too where the patch has not the colour of the face's `skin` (N, 2): a collar, a beard, a microphone.
    """
    chin, forehead = placed[CHIN], placed[10]
    down = chin - forehead
    middle = chin + NECK_REACH / 2 * down
    reach = max(2, round(float(np.linalg.norm(down)) * NECK_REACH / 4))
    x, y = round(float(middle[0])), round(float(middle[1]))
    side = grey.shape[0]
    if min(x, y) < reach or max(x, y) + reach >= side:
        return float("nan")
    patch = (slice(y - reach, y + reach + 1), slice(x - reach, x + reach + 1))
    face = _chromaticity(crop[skin[:, 1], skin[:, 0]])
    if np.abs(_chromaticity(crop[patch].reshape(-1, 3)) - face).max() > SKIN_LIKE:
        return float("nan")
    return float(LINEAR[grey[patch]].mean())


def _chromaticity(pixels: Image) -> Floats:
    """Shares of red and green in the mean linear light of pixels (N, 3)."""
    mean = LINEAR[pixels].mean(axis=0).astype(np.float64)
    return np.asarray(mean[:2] / max(float(mean.sum()), 1e-6))
