"""YuNet: where the faces are. Wu, Peng and Yu, "YuNet: A Tiny Millisecond-level Face Detector" (2023)."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from detection.inference.session import load
from detection.vision.scaling import shrink
from detection.vision.types import Array, Box, Image

MIN_CONFIDENCE = 0.6
MAX_OVERLAP = 0.3  # intersection over union above which two boxes are the same face
STRIDES = (8, 16, 32)

QUICK_SIDE_PX = 320  # finds faces from about 1/25 of the picture's long side
THOROUGH_SIDE_PX = 640  # … from about 1/60: 30 px of a 1080p frame


@dataclass(frozen=True)
class Detection:
    """One face as YuNet sees it, in pixels of the picture.

    `points_px` (5, 2): the eye on the picture's left, the eye on its right, the tip of the nose, the left and the right
    corner of the mouth.
    """

    box: Box
    confidence: float
    points_px: Array


def detect_faces(image: Image, side_px: int = THOROUGH_SIDE_PX) -> list[Detection]:
    """The faces of an RGB picture (H, W, 3), the most certain first.

    The picture is scaled to a long side of `side_px` (never up); a face is found from about 10 px of that.
    """
    scale = min(1.0, side_px / max(image.shape[:2]))
    canvas = _network_input(image, scale)
    outputs = load("yunet", threads=1).run(canvas)
    levels = [
        _decode(*outputs[level :: len(STRIDES)], stride=stride, columns=canvas.shape[3] // stride)
        for level, stride in enumerate(STRIDES)
    ]
    rows = np.concatenate(levels)
    rows = rows[rows[:, 4] >= MIN_CONFIDENCE]
    if not len(rows):
        return []
    kept = cv2.dnn.NMSBoxes(rows[:, :4].tolist(), rows[:, 4].tolist(), MIN_CONFIDENCE, MAX_OVERLAP)
    rows = rows[np.asarray(kept, int).reshape(-1)]
    rows[:, [0, 1, 2, 3, *range(5, 15)]] /= scale
    return [Detection(Box(*map(float, r[:4])), float(r[4]), r[5:].reshape(5, 2)) for r in rows]


def _network_input(image: Image, scale: float) -> Array:
    """(1, 3, h, w) BGR 0..255, filled with black on the right and below to sides divisible by 32."""
    height, width = (max(1, round(side * scale)) for side in image.shape[:2])
    small = shrink(image, width, height) if scale < 1 else image
    canvas = np.zeros((1, 3, -(-height // 32) * 32, -(-width // 32) * 32), np.float32)
    canvas[0, :, :height, :width] = small[:, :, ::-1].transpose(2, 0, 1)
    return canvas


def _decode(classes: Array, objects: Array, boxes: Array, points: Array, *, stride: int, columns: int) -> Array:
    """One stride's cells as rows of x, y, width, height, confidence, 5 × (x, y) in pixels of the scaled picture.

    Shapes: `classes` and `objects` (1, cells, 1), `boxes` (1, cells, 4), `points` (1, cells, 10); cells run row by row.
    """
    cell = np.arange(classes.shape[1])
    grid = np.stack([cell % columns, cell // columns], axis=1).astype(np.float32)  # (cells, 2)
    confidence = np.sqrt(np.clip(classes[0], 0, 1) * np.clip(objects[0], 0, 1))
    centre = (grid + boxes[0, :, :2]) * stride
    size = np.exp(boxes[0, :, 2:]) * stride
    return np.hstack([centre - size / 2, size, confidence, (points[0] + np.tile(grid, 5)) * stride])
