"""Where the network looked: how much a face's score changes when each part of it is hidden in turn.

Occlusion sensitivity (Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks", ECCV 2014). A part is
hidden by a blur that fades out, not by a grey square, whose edge would itself look like a seam.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from detection.vision.types import Array, Image

GRID = 5  # parts in a row and in a column: 25 passes of the network, a quarter of a second on two cores
BLUR_SHARE = 1 / 12  # standard deviation over the side of the crop: lids, lips and nostrils are gone
FULL_CHANGE = 0.1  # of the score, shown as strongest; on development clips the largest of a face was .06 to .21


def sensitivity(scores: Callable[[Array], Array], crop: Image) -> Array:
    """How much hiding each part of `crop` (S, S, 3) changes its score, as a map (GRID, GRID), 0 to 1 = FULL_CHANGE.

    `scores` gives the scores (N,), 0 to 1, of crops (N, S, S, 3).
    """
    found = scores(np.stack([crop, *_hidden(crop)]))
    change = np.abs(found[1:] - found[0]).reshape(GRID, GRID)
    return np.asarray(np.minimum(change / FULL_CHANGE, 1.0))


def _hidden(crop: Image) -> list[Image]:
    """The crop with each part hidden, row by row."""
    side = crop.shape[0]
    plain = crop.astype(np.float32)
    loss = cv2.GaussianBlur(plain, (0, 0), side * BLUR_SHARE) - plain
    centres = (np.arange(GRID) + 0.5) * side / GRID
    windows = np.exp(-0.5 * ((np.arange(side) - centres[:, None]) * 2 * GRID / side) ** 2)  # (GRID, S)
    return [
        np.asarray(np.rint(plain + loss * (down[:, None] * across)[..., None]), np.uint8)
        for down in windows
        for across in windows
    ]
