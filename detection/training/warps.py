"""Geometry: one face laid over another, small self-deformations."""

from __future__ import annotations

from typing import Any

import cv2
import numba
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import Delaunay

Picture = NDArray[np.uint8]
Points = NDArray[np.float32]


def lay_over(source: Picture, source_points: Points, target_points: Points, size: int) -> Picture:
    """`source` warped so that its landmarks fall on the target's, piecewise affine over a Delaunay mesh.

    Points have shape (N, 2). The corners and edge middles of the picture stay where they are. Returns (size, size, 3).
    """
    anchors = _frame_points(size)
    scale = size / source.shape[0]
    target = np.vstack([target_points, anchors]).astype(np.float32)
    origin = np.vstack([source_points, anchors / scale]).astype(np.float32)
    triangles = Delaunay(target).simplices.astype(np.int32)
    map_x = np.zeros((size, size), np.float32)
    map_y = np.zeros((size, size), np.float32)
    _fill_maps(target, origin, triangles, map_x, map_y)
    return np.asarray(cv2.remap(source, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101), np.uint8)


def _frame_points(size: int) -> Points:
    last = size - 1
    steps = (0, last / 2, last)
    return np.array([(x, y) for x in steps for y in steps if (x, y) != (last / 2, last / 2)], np.float32)


@numba.njit(cache=True)
def _fill_maps(target: Any, origin: Any, triangles: Any, map_x: Any, map_y: Any) -> None:
    size = map_x.shape[0]
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t]
        ax, ay = target[a]
        bx, by = target[b]
        cx, cy = target[c]
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if abs(area) < 1e-9:
            continue
        x0 = max(0, int(np.floor(min(ax, bx, cx))))
        x1 = min(size - 1, int(np.ceil(max(ax, bx, cx))))
        y0 = max(0, int(np.floor(min(ay, by, cy))))
        y1 = min(size - 1, int(np.ceil(max(ay, by, cy))))
        for y in range(y0, y1 + 1):
            for x in range(x0, x1 + 1):
                v = ((x - ax) * (cy - ay) - (y - ay) * (cx - ax)) / area
                w = ((bx - ax) * (y - ay) - (by - ay) * (x - ax)) / area
                u = 1.0 - v - w
                if u >= -1e-4 and v >= -1e-4 and w >= -1e-4:
                    map_x[y, x] = u * origin[a, 0] + v * origin[b, 0] + w * origin[c, 0]
                    map_y[y, x] = u * origin[a, 1] + v * origin[b, 1] + w * origin[c, 1]


def warm_up() -> None:
    """Compiles what is compiled on first use. OpenCV's own threads would not survive the fork of the data workers."""
    cv2.setNumThreads(0)
    lay_over(np.zeros((8, 8, 3), np.uint8), np.full((1, 2), 3, np.float32), np.full((1, 2), 4, np.float32), 8)


def nudge(picture: Picture, rng: np.random.Generator, strength: float = 1.0) -> Picture:
    """A small affine and elastic change, as a forger's misaligned paste shows."""
    size = picture.shape[0]
    angle, zoom = rng.normal(0, 1.0) * strength, 1 + rng.normal(0, 0.02) * strength
    matrix = cv2.getRotationMatrix2D((size / 2, size / 2), angle, zoom)
    matrix[:, 2] += rng.normal(0, 0.008, 2) * size * strength
    moved = cv2.warpAffine(picture, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    if rng.random() < 0.5:
        return np.asarray(moved, np.uint8)
    grid = rng.normal(0, 1, (2, 4, 4)).astype(np.float32) * size * 0.006 * strength
    dx, dy = (cv2.resize(g, (size, size), interpolation=cv2.INTER_CUBIC) for g in grid)
    xs, ys = np.meshgrid(np.arange(size, dtype=np.float32), np.arange(size, dtype=np.float32))
    return np.asarray(cv2.remap(moved, xs + dx, ys + dy, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101), np.uint8)
