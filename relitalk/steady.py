"""Steadying what is computed frame by frame: landmarks tremble, and normals, shadows and gains tremble with them.

The overlay of a frame becomes a weighted mean of those of the frames on either side, each carried along with the face
first: it is a mean at a point of the skin, not at a place in the picture. As both sides count alike, the light does
not lag when the head turns; and the more it turned in between, the less a frame says about another.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from relitalk.geometry import CANVAS_PX, Geometry
from relitalk.render import Overlay

Array = NDArray[Any]

STEADY_FRAMES = 3  # on either side
REACH_S = 0.16  # from which on a neighbour counts nothing: just beyond three frames at 25 a second
TURN_DEG = 5.0  # of the head between two frames, at which one counts 1 / e in the other
SWEEP_SHARE = 1 / 40  # … of the period of a light that turns, which is not to be blurred
_CELL_PX = 8  # of the grid on which the motion is known
_SPREAD_CELLS = 1.0
_LEAST_POINTS = 0.02  # in a cell, beside which the mean motion counts: what no landmark is near moves with the face


@dataclass(frozen=True)
class Lit:
    """One face of one frame with its light, as computed from this frame alone; `landmarks_px` (468, 3) in the frame."""

    time_s: float
    landmarks_px: Array
    geometry: Geometry
    overlay: Overlay


def reach_s(sweep_period_s: float | None) -> float:
    return REACH_S if sweep_period_s is None else min(REACH_S, SWEEP_SHARE * sweep_period_s)


def steadied(here: Lit, neighbours: Iterable[Lit], reach_s: float) -> Overlay:
    """The overlay of `here`, steadied by those of the same face in frames nearby; their weight falls with the time
    between, to nothing at `reach_s`, and with how far the head turned.
    """
    total, gain, added = 1.0, here.overlay.gain.copy(), here.overlay.added.copy()
    for other in neighbours:
        weight = 1 - abs(other.time_s - here.time_s) / reach_s
        if weight <= 0:
            continue
        weight *= np.exp(-((_turn_deg(here.geometry.pose.rotation, other.geometry.pose.rotation) / TURN_DEG) ** 2))
        total += weight
        across, down = _origin(here.geometry.points_px, other.geometry.points_px)
        for mean, part in ((gain, other.overlay.gain), (added, other.overlay.added)):
            carried = cv2.remap(part, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            cv2.scaleAdd(carried, weight, mean, mean)
    return Overlay(here.overlay.canvas, gain / np.float32(total), added / np.float32(total))


def _turn_deg(rotation: Array, other: Array) -> float:
    """The angle between two rotations (3, 3)."""
    return float(np.degrees(np.arccos(np.clip((np.trace(rotation.T @ other) - 1) / 2, -1, 1))))


def _origin(points_px: Array, other_px: Array) -> tuple[Array, Array]:
    """Where each canvas pixel's point of the face lies on another frame's canvas: x and y, both (S, S) float32.

    The motion of the landmarks (468, 3), weighed by nearness on a coarse grid.
    """
    cells = CANVAS_PX // _CELL_PX
    motion = (other_px - points_px)[:, :2].astype(np.float32)
    column, row = np.clip(points_px[:, :2] / _CELL_PX, 0, cells - 1).astype(int).T
    layers = [np.bincount(row * cells + column, each, cells * cells) for each in (None, *motion.T)]
    grid = np.stack(layers, axis=-1).reshape(cells, cells, 3).astype(np.float32)
    spread = cv2.GaussianBlur(grid, (0, 0), _SPREAD_CELLS)
    near = (spread[..., 1:] + _LEAST_POINTS * motion.mean(axis=0)) / (spread[..., :1] + _LEAST_POINTS)
    field = cv2.resize(near, (CANVAS_PX, CANVAS_PX), interpolation=cv2.INTER_LINEAR)
    x, y = _pixels()
    return x + field[..., 0], y + field[..., 1]


@cache
def _pixels() -> tuple[Array, Array]:
    """Where each canvas pixel is: x and y, both (S, S) float32. Asked for six times a face and frame."""
    y, x = np.mgrid[:CANVAS_PX, :CANVAS_PX].astype(np.float32)
    return x, y
