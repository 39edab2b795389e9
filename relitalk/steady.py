"""Steadying what is computed frame by frame: landmarks tremble, and normals, shadows and gains tremble with them.

Every overlay is drawn towards that of the frame before it, which is first carried along with the face: the mean stays
with a point of the skin, not with a place in the picture. What lags is only how the light moves over the face.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from relitalk.geometry import CANVAS_PX
from relitalk.render import Overlay

Array = NDArray[Any]

MEMORY_S = 0.14  # after which an overlay counts 1 / e: three to four frames at 25 a second
SWEEP_SHARE = 1 / 40  # … of the period of a light that turns, so that it lags by less than ten degrees
_CELL_PX = 8  # of the grid on which the motion is known
_SPREAD_CELLS = 1.0
_LEAST_POINTS = 0.02  # in a cell, beside which the mean motion counts: what no landmark is near moves with the face


@dataclass(frozen=True)
class _Last:
    frame: int
    time_s: float
    points_px: Array
    overlay: Overlay


class Steadier:
    """For one face. `memory_s`: how long an overlay is remembered."""

    def __init__(self, memory_s: float = MEMORY_S) -> None:
        self._memory_s = memory_s
        self._last: _Last | None = None

    def step(self, here: Overlay, points_px: Array, frame: int, time_s: float) -> Overlay:
        """The overlay of frame number `frame` steadied; one that does not follow the last frame starts anew.

        `points_px` (468, 3) are the face's landmarks on the overlay's canvas.
        """
        last = self._last
        if last is not None and last.frame == frame - 1:
            kept = exp(-max(time_s - last.time_s, 0.0) / self._memory_s)
            across, down = _origin(points_px, last.points_px)

            def mean(now: Array, before: Array) -> Array:
                carried = cv2.remap(before, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
                return np.asarray(cv2.addWeighted(now, 1 - kept, carried, kept, 0))

            before = last.overlay
            here = Overlay(here.canvas, mean(here.gain, before.gain), mean(here.added, before.added))
        self._last = _Last(frame, time_s, points_px, here)
        return here


def memory_s(sweep_period_s: float | None) -> float:
    return MEMORY_S if sweep_period_s is None else min(MEMORY_S, SWEEP_SHARE * sweep_period_s)


def _origin(points_px: Array, before_px: Array) -> tuple[Array, Array]:
    """Where each canvas pixel's point of the face lay on the canvas before: x and y, both (S, S) float32.

    The landmarks' motion, weighed by nearness on a coarse grid.
    """
    cells = CANVAS_PX // _CELL_PX
    motion = (before_px - points_px)[:, :2].astype(np.float32)
    column, row = np.clip(points_px[:, :2] / _CELL_PX, 0, cells - 1).astype(int).T
    layers = [np.bincount(row * cells + column, each, cells * cells) for each in (None, *motion.T)]
    grid = np.stack(layers, axis=-1).reshape(cells, cells, 3).astype(np.float32)
    spread = cv2.GaussianBlur(grid, (0, 0), _SPREAD_CELLS)
    near = (spread[..., 1:] + _LEAST_POINTS * motion.mean(axis=0)) / (spread[..., :1] + _LEAST_POINTS)
    field = cv2.resize(near, (CANVAS_PX, CANVAS_PX), interpolation=cv2.INTER_LINEAR)
    y, x = np.mgrid[:CANVAS_PX, :CANVAS_PX].astype(np.float32)
    return x + field[..., 0], y + field[..., 1]
