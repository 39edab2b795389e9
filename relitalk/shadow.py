"""Cast shadows: how much of a directional light reaches a point past the rest of the height field (numba).

A ray runs from the point towards the light. How far the surface stands above or below the ray, over the distance run,
is the angle by which the light is cleared or covered; over a range of angles, the source's apparent radius, that is a
soft edge.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from relitalk.geometry import Geometry
from relitalk.light import Vector

Array = NDArray[Any]

REACH_CM = 9.0  # longer than a nose's or a chin's shadow
BIAS_CM = 0.25  # a surface does not shade itself
_STEPS = 32


def shadow_map(geometry: Geometry, direction: Vector, softness: float) -> Array:
    """The part of a light from `direction` that reaches each pixel, (S, S) float32 in 0..1.

    `softness` is the tangent of the source's apparent radius.
    """
    height, width = geometry.height_px.shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    visible = np.ones(height * width, np.float32)
    inside = geometry.inside
    at = np.flatnonzero(inside)
    visible[at] = shadow_at(
        geometry.height_px, inside, x.ravel()[at], y.ravel()[at], geometry.height_px.ravel()[at], direction, softness,
        geometry.px_per_cm,
    )  # fmt: skip
    return visible.reshape(height, width)


def shadow_at(
    height_px: Array, inside: Array, x: Array, y: Array, z: Array, direction: Vector, softness: float, px_per_cm: float
) -> Array:
    """As `shadow_map` for single points (N,) of the canvas at the height `z`: (N,) float32."""
    out = np.ones(len(x), np.float32)
    right, up, viewer = (float(c) for c in direction)
    across = float(np.hypot(right, up))
    if across > 1e-3:  # else the light comes from the camera, which sees no shadow
        _march(
            height_px, inside, x, y, z, right / across, -up / across, viewer / across,
            REACH_CM * px_per_cm, softness, BIAS_CM * px_per_cm, out,
        )  # fmt: skip
    return out


@njit(cache=True, fastmath=True, nogil=True)  # type: ignore[untyped-decorator]
def _march(
    height_px: Array, inside: Array, px: Array, py: Array, pz: Array, dx: float, dy: float, dz: float, reach: float,
    softness: float, bias: float, out: Array,
) -> None:  # fmt: skip
    rows, columns = height_px.shape
    for i in range(px.shape[0]):
        clearance = 1e9
        for s in range(1, _STEPS + 1):
            distance = reach * (s / _STEPS) ** 1.5  # finer near the point, where the shadows are sharp
            x, y = px[i] + dx * distance, py[i] + dy * distance
            ix, iy = int(x), int(y)
            if ix < 0 or iy < 0 or ix >= columns - 1 or iy >= rows - 1:
                break
            if not inside[iy, ix]:
                continue
            fx, fy = x - ix, y - iy
            top = height_px[iy, ix] * (1 - fx) + height_px[iy, ix + 1] * fx
            bottom = height_px[iy + 1, ix] * (1 - fx) + height_px[iy + 1, ix + 1] * fx
            angle = (pz[i] + bias + dz * distance - top * (1 - fy) - bottom * fy) / distance
            clearance = min(clearance, angle)
        lit = min(max((clearance / softness + 1) * 0.5, 0.0), 1.0)
        out[i] = lit * lit * (3 - 2 * lit)
