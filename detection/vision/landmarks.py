"""The face mesh: 468 points in space on one face. Kartynnik et al., "Real-time Facial Surface Geometry" (2019).

The network sees a square around the face, turned so that the eyes are level, as MediaPipe feeds it. In a video the
square comes from the mesh of the frame before, which is steadier than the detector's box.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from detection.inference.session import load
from detection.vision.types import Array, Box, Image

INPUT_PX = 192
# Side of the square over the longer side of the mesh, as in MediaPipe, or of the detector's box, which is taller:
# measured on faces seen from the side, where it decides whether the mesh settles.
MESH_ROI_SCALE, BOX_ROI_SCALE = 1.5, 1.25

# Of the 468: the corners and lids of each eye, the tip of the nose, the corners of the mouth.
LEFT_EYE = (33, 133, 159, 145)
RIGHT_EYE = (263, 362, 386, 374)
NOSE_TIP, MOUTH_LEFT, MOUTH_RIGHT = 1, 61, 291


@dataclass(frozen=True)
class Roi:
    """A square turned by `angle_rad` (clockwise on the screen) about its centre, in pixels of the picture."""

    x: float
    y: float
    side: float
    angle_rad: float


@dataclass(frozen=True)
class Mesh:
    """One face's surface, and how probable (0..1) it is that there is a face.

    `points_px` (468, 3): x and y in pixels of the picture, z in the same scale, smaller is nearer.
    """

    points_px: Array
    presence: float


def find_meshes(image: Image, rois: list[Roi]) -> list[Mesh]:
    """The mesh in each square of an RGB picture (H, W, 3), all in one pass of the network."""
    if not rois:
        return []
    batch = np.stack([_look(image, roi) for roi in rois])
    points, logits = load("face_landmark", threads=1).run_batched(batch)
    meshes = []
    for roi, raw, logit in zip(rois, points.reshape(len(rois), -1, 3), logits.reshape(-1), strict=True):
        meshes.append(Mesh(_to_picture(raw, roi), float(1 / (1 + np.exp(-logit)))))
    return meshes


def roi_of(box: Box, points_px: Array) -> Roi:
    """The square for a face in `box` with the five points (5, 2) of a detector."""
    side = BOX_ROI_SCALE * max(box.width, box.height)
    return Roi(*box.centre, side, tilt_rad(points_px))


def roi_of_mesh(points_px: Array) -> Roi:
    """The square in which to look for the same face in the next frame: the mesh's extent along its own axes."""
    angle = tilt_rad(five_points(points_px))
    turn = _rotation(-angle)
    levelled = points_px[:, :2] @ turn.T
    low, high = levelled.min(axis=0), levelled.max(axis=0)
    x, y = turn.T @ ((low + high) / 2)
    return Roi(float(x), float(y), MESH_ROI_SCALE * float((high - low).max()), angle)


def tilt_rad(points_px: Array) -> float:
    """How far a head is tilted in the picture, clockwise, from its five points.

    From the line through the eyes and the one from the eyes to the mouth together: of a face seen from the side the
    eyes lie so close to each other that their line alone points anywhere.
    """
    left, right, _, *mouth = points_px
    across, down = right - left, sum(mouth) / 2 - (left + right) / 2
    return float(np.arctan2(across[1] - down[0], across[0] + down[1]))


def five_points(points_px: Array) -> Array:
    """(5, 2): eye on the picture's left, eye on its right, nose tip, left and right corner of the mouth."""
    xy = points_px[:, :2]
    eyes = [xy[list(LEFT_EYE)].mean(axis=0), xy[list(RIGHT_EYE)].mean(axis=0)]
    return np.stack([*eyes, xy[NOSE_TIP], xy[MOUTH_LEFT], xy[MOUTH_RIGHT]])


def _rotation(angle_rad: float) -> Array:
    cos, sin = np.cos(angle_rad), np.sin(angle_rad)
    return np.array([[cos, -sin], [sin, cos]])


def _to_picture(raw: Array, roi: Roi) -> Array:
    """Network pixels (468, 3) → picture pixels (468, 3)."""
    scale = roi.side / INPUT_PX
    xy = (raw[:, :2] - INPUT_PX / 2) * scale @ _rotation(roi.angle_rad).T + (roi.x, roi.y)
    return np.hstack([xy, raw[:, 2:] * scale]).astype(np.float32)


def _look(image: Image, roi: Roi) -> Array:
    """The square as the network sees it: (192, 192, 3) RGB 0..1, black outside the picture."""
    side = max(roi.side, 1.0)
    # Sampling a large face at 192 points would alias, and aliasing shows as jitter: shrink it by whole pixels first.
    shrink = max(1, int(side / INPUT_PX))
    offset = np.zeros(2)
    if shrink > 1:
        reach = side * 0.75  # half the diagonal and a little more
        left, top = max(0, int(roi.x - reach)), max(0, int(roi.y - reach))
        image = image[top : max(top, int(roi.y + reach)), left : max(left, int(roi.x + reach))]
        height, width = image.shape[0] // shrink, image.shape[1] // shrink
        if not height or not width:
            return np.zeros((INPUT_PX, INPUT_PX, 3), np.float32)
        whole = image[: height * shrink, : width * shrink]
        image = cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA)
        offset[:] = left, top
    centre = (np.array([roi.x, roi.y]) - offset + 0.5) / shrink - 0.5
    inverse = np.zeros((2, 3))  # network pixels → (shrunken) picture pixels
    inverse[:, :2] = _rotation(roi.angle_rad) * (side / shrink / INPUT_PX)
    inverse[:, 2] = centre - inverse[:, :2] @ np.full(2, INPUT_PX / 2)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    look = cv2.warpAffine(image, inverse, (INPUT_PX, INPUT_PX), flags=flags, borderMode=cv2.BORDER_CONSTANT)
    return np.asarray(look, np.float32) / 255
