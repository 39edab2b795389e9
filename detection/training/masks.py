"""Regions of a face that forgers replace, as soft masks."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float32]
Mask = NDArray[np.float32]

# Indices into MediaPipe's 468-point face mesh.
OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
LIPS = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185)
LEFT_EYE = (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246)
RIGHT_EYE = (362, 382, 381, 380, 374, 373, 390, 249, 263, 466, 388, 387, 386, 385, 384, 398)
LEFT_BROW = (70, 63, 105, 66, 107, 55, 65, 52, 53, 46)
RIGHT_BROW = (336, 296, 334, 293, 300, 276, 283, 282, 295, 285)
NOSE = (168, 6, 197, 195, 5, 4, 1, 2, 98, 327, 48, 278)
LOWER_OVAL = (454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234)

REGIONS = ("whole", "forehead", "inner", "lower", "mouth", "eyes", "nose")


def region(kind: str, landmarks: Points, size: int, rng: np.random.Generator) -> Mask:
    """A binary region of the face, shape (size, size), 0 or 1.

    whole: the oval of the face; forehead: the oval raised into the hair line; inner: brows to chin without cheeks'
    rims; lower: from the nose down (lip-sync of the whole jaw); mouth: the upright box that Wav2Lip-like methods paste;
    eyes, nose: those alone. `landmarks` has shape (468, 2), in pixels of the (size, size) picture.
    """
    mask = np.zeros((size, size), np.uint8)
    if kind in ("eyes", "nose"):
        parts = ((LEFT_EYE + LEFT_BROW), (RIGHT_EYE + RIGHT_BROW)) if kind == "eyes" else (NOSE,)
        for part in parts:
            _fill_hull(mask, _grown(landmarks[list(part)], rng.uniform(1.1, 1.5)))
    elif kind == "mouth":
        _fill_mouth_box(mask, landmarks, rng)
    else:
        _fill_hull(mask, _outline(kind, landmarks, rng))
    return mask.astype(np.float32)


def _outline(kind: str, landmarks: Points, rng: np.random.Generator) -> Points:
    if kind == "inner":
        indices = LEFT_BROW + RIGHT_BROW + LIPS + NOSE + LEFT_EYE + RIGHT_EYE
        return _grown(landmarks[list(indices)], rng.uniform(1.0, 1.25))
    if kind == "lower":
        return landmarks[[*LOWER_OVAL, int(rng.choice((195, 5, 4, 2)))]]
    outline = landmarks[list(OVAL)].copy()
    if kind == "forehead":
        up = landmarks[10] - landmarks[152]
        above = (outline - landmarks[168]) @ up > 0
        outline[above] += up * rng.uniform(0.04, 0.16)
    return outline


def _fill_mouth_box(mask: NDArray[np.uint8], landmarks: Points, rng: np.random.Generator) -> None:
    (left, _), (right, bottom) = landmarks[list(LOWER_OVAL)].min(0), landmarks[list(LOWER_OVAL)].max(0)
    top = landmarks[int(rng.choice((195, 5, 2)))][1]
    inset = (right - left) * rng.uniform(-0.02, 0.22)
    corner_a = (round(float(left + inset)), round(float(top)))
    corner_b = (round(float(right - inset)), round(float(bottom + (bottom - top) * rng.uniform(-0.1, 0.1))))
    cv2.rectangle(mask, corner_a, corner_b, 1, -1)


def _grown(points: Points, factor: float) -> Points:
    centre = points.mean(0)
    return np.asarray((points - centre) * factor + centre, np.float32)


def _fill_hull(mask: NDArray[np.uint8], points: Points) -> None:
    cv2.fillConvexPoly(mask, cv2.convexHull(points.astype(np.float32)).astype(np.int32), 1)


def soften(mask: Mask, rng: np.random.Generator) -> Mask:
    """The mask deformed and feathered, as in Self-Blended Images (Shiohara and Yamasaki, CVPR 2022)."""
    size = mask.shape[0]
    mask = _elastic(mask, rng)
    if rng.random() < 0.5:
        reach = int(rng.integers(1, max(2, size // 24)))
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
        mask = cv2.erode(mask, kernel) if rng.random() < 0.6 else cv2.dilate(mask, kernel)
    sigma = size * rng.choice((0.004, 0.01, 0.02, 0.035)) * rng.uniform(0.7, 1.3)
    feathered = cv2.GaussianBlur(mask, (0, 0), sigma)
    if rng.random() < 0.5:  # feather inwards only, so that the border never leaves the face
        feathered = np.clip(feathered * 2 - 1, 0, 1)
    return np.clip(feathered, 0, 1, dtype=np.float32)


def _elastic(mask: Mask, rng: np.random.Generator) -> Mask:
    size = mask.shape[0]
    grid = rng.normal(0, 1, (2, 5, 5)).astype(np.float32) * size * rng.uniform(0, 0.02)
    dx, dy = (cv2.resize(g, (size, size), interpolation=cv2.INTER_CUBIC) for g in grid)
    xs, ys = np.meshgrid(np.arange(size, dtype=np.float32), np.arange(size, dtype=np.float32))
    return np.asarray(cv2.remap(mask, xs + dx, ys + dy, cv2.INTER_LINEAR), np.float32)
