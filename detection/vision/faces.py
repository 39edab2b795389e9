"""Faces on one picture: found, measured by 468 points, cut out. Training and inference use the same functions."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from detection.vision.detector import THOROUGH_SIDE_PX, Detection, detect_faces
from detection.vision.landmarks import Mesh, Roi, find_meshes, five_points, roi_of, roi_of_mesh
from detection.vision.types import CROP_SCALE, CROP_SIZE_PX, Array, Box, Image

MIN_PRESENCE = 0.5  # of the mesh network, below which there is no face in the square

# From the centre of the mesh to that of the detector's box, over the longer side of the box: measured .00 to .07 where
# the mesh fits, however tilted the head, more where it slid onto a neighbour.
MAX_SHIFT = 0.12
# Seen from the side a face has a low presence even where the mesh fits. The detector's word counts then, if it is sure
# and its eyes, nose and mouth lie where the mesh's do (mean distance, over the same side).
SIDE_PRESENCE, SIDE_CONFIDENCE, SIDE_DISTANCE = 0.03, 0.8, 0.07


@dataclass(frozen=True)
class FoundFace:
    """A face on one picture, in its pixels.

    `box` is `face_box(landmarks_px)`; `points_px` (5, 2): left and right eye, nose tip, left and right mouth corner, as
    they lie in the picture; `landmarks_px` (468, 3), z in the same scale, smaller is nearer; `confidence` 0..1.
    """

    box: Box
    confidence: float
    points_px: Array
    landmarks_px: Array


def find_faces(image: Image, side_px: int = THOROUGH_SIDE_PX) -> list[FoundFace]:
    """All faces of an RGB picture (H, W, 3), the most certain first."""
    return [face for face in fit_faces(image, detect_faces(image, side_px)) if face is not None]


def fit_faces(image: Image, detections: list[Detection]) -> list[FoundFace | None]:
    """The mesh of each detected face; None where none fits: turned away, blurred beyond measuring, or no face at all.

    The mesh is fitted twice: in the square around the detector's box, then in the square around the first mesh, which
    is the square that following a video uses.
    """
    rough = find_meshes(image, [roi_of(d.box, d.points_px) for d in detections])
    fine = find_meshes(image, [roi_of_mesh(m.points_px) for m in rough])
    pairs = zip(detections, fine, strict=True)
    return [found_face(mesh, d.confidence) if _fits(mesh, d) else None for d, mesh in pairs]


def _fits(mesh: Mesh, detection: Detection) -> bool:
    side_px = max(detection.box.width, detection.box.height)
    shift_px = np.linalg.norm(np.subtract(face_box(mesh.points_px).centre, detection.box.centre))
    if mesh.presence >= MIN_PRESENCE:
        return bool(shift_px <= MAX_SHIFT * side_px)
    distances_px = np.linalg.norm(five_points(mesh.points_px) - detection.points_px, axis=1)
    is_close = distances_px.mean() <= SIDE_DISTANCE * side_px
    return bool(is_close and mesh.presence >= SIDE_PRESENCE and detection.confidence >= SIDE_CONFIDENCE)


def follow_faces(image: Image, rois: list[Roi]) -> list[FoundFace | None]:
    """The face in each square (from `roi_of_mesh` of the frame before); None where there is no face any more."""
    meshes = find_meshes(image, rois)
    return [found_face(mesh, mesh.presence) if mesh.presence >= MIN_PRESENCE else None for mesh in meshes]


def found_face(mesh: Mesh, confidence: float) -> FoundFace:
    return FoundFace(face_box(mesh.points_px), confidence, five_points(mesh.points_px), mesh.points_px)


def face_box(landmarks_px: Array) -> Box:
    """The one definition of a face's box, for training as for inference: the extent in x and y of the 468 points.

    It reaches from the hair line to the chin and from ear to ear, and is steadier over time than a detector's box.
    """
    low, high = landmarks_px[:, :2].min(axis=0), landmarks_px[:, :2].max(axis=0)
    return Box(float(low[0]), float(low[1]), float(high[0] - low[0]), float(high[1] - low[1]))


def crop_face(image: Image, box: Box, size_px: int = CROP_SIZE_PX) -> tuple[Image, Array]:
    """Cuts the square of CROP_SCALE × the longer side of `box` (see `face_box`), centred on it, scaled to `size_px`.

    The square is rounded to whole pixels. What of it lies outside the picture is filled with the picture's mirror
    image, which has the picture's own noise and no hard edge. Shrinking averages (no aliasing), enlarging is bilinear.

    Returns the crop (size_px, size_px, 3) and the matrix (2, 3) from picture pixels to crop pixels.
    """
    height, width = image.shape[:2]
    side = max(2, round(CROP_SCALE * max(box.width, box.height)))
    left = round(box.x + (box.width - side) / 2)
    top = round(box.y + (box.height - side) / 2)
    rows = _mirrored(np.arange(top, top + side), height)
    columns = _mirrored(np.arange(left, left + side), width)
    inside = min(left, top) >= 0 and left + side <= width and top + side <= height
    square = image[top : top + side, left : left + side] if inside else image[rows[:, None], columns]
    interpolation = cv2.INTER_AREA if side > size_px else cv2.INTER_LINEAR
    crop = cv2.resize(square, (size_px, size_px), interpolation=interpolation)
    scale = size_px / side
    shift = (0.5 - np.array([left, top])) * scale - 0.5  # the centres of pixels coincide, not their corners
    matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]], np.float32)
    return np.asarray(crop, np.uint8), matrix


def _mirrored(index: Array, length: int) -> Array:
    """Indices outside 0..length−1 reflected back inside, as often as needed, the edge pixel not repeated."""
    if length == 1:
        return np.zeros_like(index)
    period = 2 * (length - 1)
    folded = np.mod(index, period)
    return np.asarray(np.minimum(folded, period - folded))
