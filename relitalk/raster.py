"""A z-buffer rasteriser for the face mesh (numba): one pass gives UV, normal and depth of every pixel."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[Any]


@njit(cache=True, fastmath=True, nogil=True)  # type: ignore[untyped-decorator]
def _rasterise(points: Array, triangles: Array, attributes: Array, depth: Array, out: Array) -> None:
    height, width = depth.shape
    channels = attributes.shape[1]
    for t in range(triangles.shape[0]):
        i, j, k = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ax, ay = points[i, 0], points[i, 1]
        bx, by = points[j, 0], points[j, 1]
        cx, cy = points[k, 0], points[k, 1]
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if area > -1e-9:  # seen from behind (image y points down, so the front is clockwise)
            continue
        x0, x1 = max(0, int(np.ceil(min(ax, bx, cx)))), min(width - 1, int(max(ax, bx, cx)))
        y0, y1 = max(0, int(np.ceil(min(ay, by, cy)))), min(height - 1, int(max(ay, by, cy)))
        for y in range(y0, y1 + 1):
            for x in range(x0, x1 + 1):
                u = ((bx - x) * (cy - y) - (by - y) * (cx - x)) / area
                v = ((cx - x) * (ay - y) - (cy - y) * (ax - x)) / area
                w = 1.0 - u - v
                if u < 0 or v < 0 or w < 0:
                    continue
                z = u * points[i, 2] + v * points[j, 2] + w * points[k, 2]
                if z > depth[y, x]:
                    depth[y, x] = z
                    for c in range(channels):
                        out[y, x, c] = u * attributes[i, c] + v * attributes[j, c] + w * attributes[k, c]


def rasterise(points_px: Array, triangles: Array, attributes: Array, size: int) -> tuple[Array, Array]:
    """Draw a mesh orthographically.

    `points_px` (N, 3): x, y in pixels of the picture (y down), z towards the viewer; `attributes` (N, C).
    Returns depth (size, size), -inf where no triangle is, and the interpolated attributes (size, size, C).
    """
    depth = np.full((size, size), -np.inf, np.float32)
    out = np.zeros((size, size, attributes.shape[1]), np.float32)
    _rasterise(
        np.ascontiguousarray(points_px, np.float64), triangles, np.ascontiguousarray(attributes, np.float32), depth, out
    )
    return depth, out
