"""Faces laid on one another, and the regions in which they are compared.

Every crop is turned, scaled and shifted (no other warp) so that the points that expressions move little fall on those
of the canonical face; regions are drawn once per person from the median landmarks.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from detection.feature.sequence import Sequence
from detection.inference.weights import verified_path
from detection.vision.quality import RIGID_POINTS
from detection.vision.similarity import similarity
from detection.vision.types import Array

SIZE_PX = 128  # below the native size of most faces, so that resolution and scaling of the file matter little
FACE_SHARE = 0.6  # height of the canonical face over SIZE_PX
EDGE_PX = 4

# Points of the mesh (MediaPipe's numbering).
RIGID = list(RIGID_POINTS)
NOSE = [1, 2, 4, 5, 98, 327]
OVAL = [
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
]  # fmt: skip
LIPS = [61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185]
LEFT_EYE = [33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246]
RIGHT_EYE = [362, 382, 381, 380, 374, 373, 390, 249, 263, 466, 388, 387, 386, 385, 384, 398]
EYES = LEFT_EYE + RIGHT_EYE


@dataclass(frozen=True)
class Aligned:
    """`colour` (N, SIZE_PX, SIZE_PX, 3) uint8, `grey` (N, SIZE_PX, SIZE_PX) float32.

    `regions`: flat pixel indices of inside (the face without its rim), skin (inside without eyes and mouth), border
    (the rim and what surrounds it), outside (hair, neck, background), mouth, eyes.
    """

    colour: Array
    grey: NDArray[np.float32]
    regions: dict[str, NDArray[np.int64]]


@cache
def canonical_vertices() -> NDArray[np.float64]:
    """The canonical face (468, 3) in the picture's axes: x right, y down, z away from the viewer."""
    with np.load(verified_path("canonical_face"), allow_pickle=False) as face:
        return np.asarray(face["vertices_cm"].astype(np.float64) * (1, -1, -1))


@cache
def _template() -> NDArray[np.float64]:
    """Where the canonical face's points (468, 2) lie in an aligned picture."""
    flat = canonical_vertices()[:, :2]
    low, high = flat.min(axis=0), flat.max(axis=0)
    return np.asarray((flat - (low + high) / 2) * FACE_SHARE * SIZE_PX / (high - low)[1] + SIZE_PX / 2)


def align(sequence: Sequence) -> Aligned:
    count = len(sequence.crops)
    colour = np.empty((count, SIZE_PX, SIZE_PX, 3), np.uint8)
    grey = np.empty((count, SIZE_PX, SIZE_PX), np.float32)
    points = np.empty((count, 468, 2))
    for i, (crop, landmarks) in enumerate(zip(sequence.crops, sequence.landmarks_crop, strict=True)):
        half = cv2.resize(crop, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        halved = (landmarks + 0.5) / 2 - 0.5
        matrix = similarity(halved[RIGID], _template()[RIGID])
        colour[i] = cv2.warpAffine(
            half, matrix, (SIZE_PX, SIZE_PX), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
        )
        grey[i] = cv2.cvtColor(colour[i], cv2.COLOR_RGB2GRAY)
        points[i] = halved @ matrix[:, :2].T + matrix[:, 2]
    return Aligned(colour, grey, _regions(np.median(points, axis=0)))


def _regions(points: NDArray[np.float64]) -> dict[str, NDArray[np.int64]]:
    inside, rim = _hull(points[OVAL], 0.82), _hull(points[OVAL], 1.15)
    mouth = _hull(points[LIPS], 1.15)
    eyes = _hull(points[LEFT_EYE], 1.5) | _hull(points[RIGHT_EYE], 1.5)
    picture = np.zeros((SIZE_PX, SIZE_PX), bool)
    picture[EDGE_PX:-EDGE_PX, EDGE_PX:-EDGE_PX] = True
    masks = {
        "inside": inside,
        "skin": inside & ~mouth & ~eyes,
        "border": rim & ~inside & picture,
        "outside": ~rim & picture,
        "mouth": mouth,
        "eyes": eyes,
    }
    return {name: np.flatnonzero(mask) for name, mask in masks.items()}


def _hull(points: NDArray[np.float64], grow: float) -> NDArray[np.bool_]:
    centre = points.mean(axis=0)
    outline = cv2.convexHull(((points - centre) * grow + centre).astype(np.float32)).astype(np.int32)
    mask = np.zeros((SIZE_PX, SIZE_PX), np.uint8)
    cv2.fillConvexPoly(mask, outline, 1)
    return np.asarray(mask > 0)
