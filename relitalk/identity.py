"""Who is who across shots, and whether a relit face is still the same person: SFace embeddings (Zhong et al. 2021)."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from detection.inference.session import load
from detection.vision.landmarks import five_points

Array = NDArray[Any]

SAME_PERSON = 0.363  # cosine from which SFace's authors call two faces one person (false accept rate 0.1 % on LFW)

# Where SFace wants the eyes, the nose tip and the corners of the mouth on its picture of 112².
_TEMPLATE_PX = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]], np.float32
)


def embed(image: Array, landmarks_px: Array) -> Array:
    """The face's identity as a unit vector (128,), from an RGB picture and its landmarks (468, 3)."""
    matrix, _ = cv2.estimateAffinePartial2D(
        five_points(landmarks_px).astype(np.float32), _TEMPLATE_PX, method=cv2.LMEDS
    )
    aligned = cv2.warpAffine(image, matrix, (112, 112), flags=cv2.INTER_LINEAR)
    (vector,) = load("sface").run(aligned.transpose(2, 0, 1)[None].astype(np.float32))
    unit: Array = vector[0] / max(float(np.linalg.norm(vector[0])), 1e-9)
    return unit


class People:
    """The people of a clip, numbered from 1 in the order in which they are recognised."""

    def __init__(self) -> None:
        self._embeddings: list[Array] = []
        self._first_s: list[float] = []

    def recognise(self, embedding: Array, time_s: float, present: set[int]) -> int:
        """The number of the person with this embedding; of those `present` at the same time it is none."""
        scores = [
            (float(embedding @ known), number)
            for number, known in enumerate(self._embeddings, 1)
            if number not in present
        ]
        score, number = max(scores, default=(0.0, 0))
        if score >= SAME_PERSON:
            self._first_s[number - 1] = min(self._first_s[number - 1], time_s)
            return number
        self._embeddings.append(embedding)
        self._first_s.append(time_s)
        return len(self._embeddings)

    def first_seen(self) -> tuple[tuple[int, float], ...]:
        """(number, seconds) of every person."""
        return tuple(enumerate(self._first_s, 1))
