"""Making pictures smaller, fast and without aliasing."""

from __future__ import annotations

import cv2
import numpy as np

from detection.vision.types import Image


def shrink(image: Image, width: int, height: int) -> Image:
    """An RGB picture (H, W, 3) scaled down to (height, width, 3): whole blocks averaged, the rest bilinear.

    OpenCV averages over whole blocks thirty times faster than over fractions of pixels, and fastest over blocks of two;
    what is left to scale after that is less than a factor of two, which bilinear interpolation does without aliasing.
    """
    factor = max(1, min(image.shape[1] // max(1, width), image.shape[0] // max(1, height)))
    while factor > 1:
        block = 2 if factor % 2 == 0 else factor
        rows, columns = image.shape[0] // block, image.shape[1] // block
        whole = image[: rows * block, : columns * block]
        image = np.asarray(cv2.resize(whole, (columns, rows), interpolation=cv2.INTER_AREA), np.uint8)
        factor //= block
    if image.shape[:2] == (height, width):
        return image
    return np.asarray(cv2.resize(image, (max(1, width), max(1, height)), interpolation=cv2.INTER_LINEAR), np.uint8)
