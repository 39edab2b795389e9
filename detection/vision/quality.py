"""How well a face can be judged: its size, sharpness and pose, and what of it lies outside the picture.

The gates are mild. They keep out what carries no trace of a forgery, not what is hard: a face seen from the side is
judged as long as it is measured at all.
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np

from detection.inference.weights import verified_path
from detection.vision.types import Array, FaceQuality, Image

MIN_USABLE_FACES = 3  # of a person; fewer say nothing about a video

MIN_SIZE_PX = 40.0  # longer side of the box: below, the crop is enlarged more than 4.5 times
MIN_SHARPNESS = 0.09  # measured: .11 to .5 on faces with visible skin or lashes, .06 to .08 on ones out of focus
MAX_YAW_DEG = 70.0  # as measured; the mesh falls short of the true angle from about 60 on
MAX_OUTSIDE = 0.15  # share of the 468 points outside the picture; a forehead cut off by the frame stays below
# … of those beyond its left or right edge. The mesh shrinks to what is in the picture, so that of a face that is half
# outside few points are: measured .04 to .13, and none of faces that are whole.
MAX_BESIDE = 0.02

SHARPNESS_SIDE_PX = 128

# Points of the mesh that move little with expression: forehead, temples, nose bridge, cheek bones (MediaPipe's basis
# for the same purpose, geometry_pipeline_metadata, without the points round the mouth).
RIGID_POINTS = (
    6,
    10,
    33,
    54,
    67,
    117,
    119,
    121,
    127,
    129,
    132,
    133,
    168,
    197,
    263,
    284,
    297,
    346,
    348,
    350,
    356,
    358,
    361,
    362,
)


def measure(landmarks_px: Array, side_px: float, crop: Image, picture_size: tuple[int, int]) -> FaceQuality:
    """The quality of one face.

    `landmarks_px` (468, 3) in pixels of the picture, `side_px` the longer side of the face's box, `crop` its crop,
    `picture_size` width and height of the picture.
    """
    yaw, pitch, roll = head_pose_deg(landmarks_px)
    sharp = sharpness(crop)
    inside = (landmarks_px[:, :2] >= 0) & (landmarks_px[:, :2] < picture_size)  # of its columns, of its rows
    gates = {
        "too_small": side_px < MIN_SIZE_PX,
        "blurred": sharp < MIN_SHARPNESS,
        "profile": abs(yaw) > MAX_YAW_DEG,
        "cut_off": 1 - inside.all(axis=1).mean() > MAX_OUTSIDE or 1 - inside[:, 0].mean() > MAX_BESIDE,
    }
    return FaceQuality(side_px, sharp, yaw, pitch, roll, tuple(name for name, closed in gates.items() if closed))


def sharpness(crop: Image) -> float:
    """Fine detail over contrast of a crop's middle, at a standard size, so that light and distance cancel out.

    The mean absolute Laplacian over the standard deviation of the grey levels: 0 for a plain surface.
    """
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (SHARPNESS_SIDE_PX, SHARPNESS_SIDE_PX), interpolation=cv2.INTER_AREA)
    edge = SHARPNESS_SIDE_PX // 5
    face = small[edge:-edge, edge:-edge].astype(np.float32)
    return float(np.abs(cv2.Laplacian(face, cv2.CV_32F)).mean() / (face.std() + 1.0))


def head_pose_deg(landmarks_px: Array) -> tuple[float, float, float]:
    """Yaw, pitch and roll of the head in degrees, from the rotation that best lays the canonical face on the mesh.

    Yaw + is turned towards the viewer's right, pitch + is looking up, roll + is tilted clockwise as the viewer sees it.
    Method: orthogonal Procrustes (Kabsch) on points that expressions move little.
    """
    model = _rigid_model()
    points = landmarks_px[list(RIGID_POINTS)].astype(np.float64)
    points = points - points.mean(axis=0)
    u, _, vt = np.linalg.svd(model.T @ points)
    flip = np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    rotation = (u @ flip @ vt).T  # canonical, in picture axes → picture
    forward, right = rotation @ (0, 0, -1), rotation @ (1, 0, 0)
    yaw = np.degrees(np.arctan2(forward[0], -forward[2]))
    pitch = np.degrees(np.arcsin(np.clip(-forward[1], -1, 1)))
    roll = np.degrees(np.arctan2(right[1], right[0]))
    return float(yaw), float(pitch), float(roll)


@cache
def _rigid_model() -> Array:
    """The rigid points of the canonical face about their centre, in the picture's axes: x right, y down, z away."""
    with np.load(verified_path("canonical_face"), allow_pickle=False) as face:
        points = face["vertices_cm"][list(RIGID_POINTS)].astype(np.float64) * (1, -1, -1)
    return np.asarray(points - points.mean(axis=0))
