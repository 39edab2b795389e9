"""Who a face is: an embedding in which faces of one person lie close. SFace (Zhong et al., 2021)."""

from __future__ import annotations

import cv2
import numpy as np

from detection.inference.session import load
from detection.vision.similarity import similarity
from detection.vision.types import Array, Image

ALIGNED_PX = 112

# Where the five points of a face come to lie: the template of ArcFace (Deng et al., 2019), on which SFace was trained.
TEMPLATE_PX = np.array(
    [(38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041)]
)


def embed_faces(image: Image, points_px: list[Array]) -> Array:
    """One unit vector (128,) for each face of an RGB picture, given its five points (5, 2): shape (faces, 128).

    The cosine of two of them is their dot product; faces of different people stay below about .36 (OpenCV zoo, LFW).
    """
    return embed_aligned([align_face(image, points) for points in points_px])


def embed_aligned(faces: list[Image]) -> Array:
    """The same for faces cut out by `align_face`."""
    if not faces:
        return np.zeros((0, 128), np.float32)
    batch = np.stack(faces).transpose(0, 3, 1, 2).astype(np.float32)
    (vectors,) = load("sface").run_batched(batch)
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6), np.float32)


def align_face(image: Image, points_px: Array) -> Image:
    """The face turned, scaled and shifted onto the template: (112, 112, 3) RGB."""
    matrix = similarity(np.asarray(points_px, np.float64), TEMPLATE_PX)
    return np.asarray(cv2.warpAffine(image, matrix, (ALIGNED_PX, ALIGNED_PX), flags=cv2.INTER_LINEAR), np.uint8)
