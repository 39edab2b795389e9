"""Shape beyond the mesh: the person's matte, and a smooth height field inflated from it that joins the face mesh.

What is solved for is the square of the height, u = h²: ∇²u = −4 holds on a sphere and ∇²u = −2 on a cylinder, u = 0 on
the silhouette turns the normals into the picture plane there, and the normal (−u_x/2, −u_y/2, h) has no singularity.
The screened form, ∇²u − u/L² = −bulge, keeps a body, which is wide but flat, from swelling to a ball.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numba import njit
from numpy.typing import NDArray

from detection.inference.session import load

Array = NDArray[Any]

MATTE_PX = 256  # the network's side
BULGE = 2.5
SCREEN_CM = 6.5  # L: what is much wider than this is no higher than L·√bulge = 10 cm
_COARSEST_PX = 16
_SWEEPS = 24
_OVER_RELAXATION = 1.7


def person_matte(image: Array) -> Array:
    """How much of each pixel of a square RGB picture (S, S, 3) is a person: (S, S) float32 in 0..1."""
    side = image.shape[0]
    picture = image if side == MATTE_PX else cv2.resize(image, (MATTE_PX, MATTE_PX), interpolation=cv2.INTER_AREA)
    (matte,) = load("selfie_segmentation").run(picture[None].astype(np.float32) / 255)
    matte = matte[0, :, :, 0]
    return matte if side == MATTE_PX else cv2.resize(matte, (side, side), interpolation=cv2.INTER_LINEAR)


def snap_to_edges(matte: Array, image: Array, radius: int = 4, noise: float = 2e-4) -> Array:
    """Moves the matte's border onto the picture's own edges: a guided filter (He, Sun and Tang 2013) on luminance.

    `matte` (S, S), `image` (S, S, 3) RGB. `noise` is the variance (of 0..1 luminance) below which nothing is an edge.
    """
    guide = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    window = (2 * radius + 1, 2 * radius + 1)
    mean_guide, mean_matte = cv2.blur(guide, window), cv2.blur(matte, window)
    variance = cv2.blur(guide * guide, window) - mean_guide**2
    slope = (cv2.blur(guide * matte, window) - mean_guide * mean_matte) / (variance + noise)
    offset = mean_matte - slope * mean_guide
    snapped: Array = np.clip(cv2.blur(slope, window) * guide + cv2.blur(offset, window), 0, 1)
    return snapped


def tighten(matte: Array) -> Array:
    """Draws the matte's soft border inwards: background that is lit with the person shows as a halo, a dim hair does
    not.
    """
    tight: Array = np.clip((matte - 0.35) / 0.55, 0, 1)
    return tight


def inflate(inside: Array, known_px: Array, px_per_cm: float) -> Array:
    """Height of the person above the silhouette's plane in pixels, shape of `inside` (S, S).

    `inside` is true within the matte; `known_px` holds heights to keep (the face mesh's) and NaN where the height is
    asked for. Solved from coarse to fine; S is a power of two.
    """
    size = inside.shape[0]
    known = np.isfinite(known_px) & inside
    squared = np.where(known, np.maximum(known_px, 0.0) ** 2, 0.0).astype(np.float32)
    u = np.zeros((_COARSEST_PX, _COARSEST_PX), np.float32)
    level = _COARSEST_PX
    while level <= size:
        step = size // level
        if level != u.shape[0]:
            u = cv2.resize(u, (level, level), interpolation=cv2.INTER_LINEAR)
        at = slice(step // 2, None, step)
        fixed = known[at, at] | ~inside[at, at]
        u[fixed] = squared[at, at][fixed]
        screen = (step / (SCREEN_CM * px_per_cm)) ** 2
        _relax(u, fixed, np.float32(BULGE * step * step), np.float32(1 / (4 + screen)), np.float32(_OVER_RELAXATION))
        level *= 2
    height: Array = np.sqrt(np.maximum(u, 0.0))
    return height


@njit(cache=True, fastmath=True, nogil=True)  # type: ignore[untyped-decorator]
def _relax(u: Array, fixed: Array, source: float, share: float, omega: float) -> None:
    """Red-black successive over-relaxation where `fixed` is false; mirrored at the border. `share` is 1 / (4 +
    1/L²).
    """
    height, width = u.shape
    for _ in range(_SWEEPS):
        for colour in range(2):
            for y in range(height):
                up, down = max(y - 1, 0), min(y + 1, height - 1)
                for x in range((y + colour) & 1, width, 2):
                    if fixed[y, x]:
                        continue
                    total = u[up, x] + u[down, x] + u[y, max(x - 1, 0)] + u[y, min(x + 1, width - 1)]
                    u[y, x] += omega * ((total + source) * share - u[y, x])


def height_normals(height_px: Array) -> Array:
    """Unit normals (S, S, 3) as (right, up, viewer) of a height field whose square is smooth."""
    u = height_px * height_px
    dx = cv2.Sobel(u, cv2.CV_32F, 1, 0, ksize=3, scale=1 / 8)
    dy = cv2.Sobel(u, cv2.CV_32F, 0, 1, ksize=3, scale=1 / 8)
    return unit(np.stack([-dx / 2, dy / 2, height_px], axis=-1))


def unit(vectors: Array) -> Array:
    """Vectors (..., 3) at length 1; vectors of no length stay."""
    length = np.sqrt(np.einsum("...i,...i->...", vectors, vectors))[..., None]
    scaled: Array = vectors / np.maximum(length, 1e-6)
    return scaled
