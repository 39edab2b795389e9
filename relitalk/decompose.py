"""Taking a shot apart: one source light, and one albedo, from a few frames of a face.

The source light is one directional key light with its cast shadow, and an even ambient light. It is searched for over
a grid of directions and ratios, and the best are refined; the cost is truncated, because brows, beards and highlights
are no skin. Two facts speak for a light: skin albedo is nearly constant in log over the face, and it is constant over
time at one point of the face, however the head turns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from relitalk.geometry import Geometry, to_linear
from relitalk.light import Light, Vector, angle_between_deg, angles_of, direction_of, directions_grid
from relitalk.mesh import face_mesh, triangle_normals
from relitalk.shadow import shadow_at, shadow_map

Array = NDArray[Any]

LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)
ALBEDO_PX = 64
SOURCE_SOFTNESS = 0.15  # penumbra of the source's shadows: wide, since their edges are known only roughly
SHADOW_TRUST = 0.65  # a shadow that is a few pixels off must not be lifted whole: it leaves a bright spot
FLOOR = 0.2  # of the full source irradiance: what is darker is not lifted without end

_RATIOS = (0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9)
_TRUNCATE = 0.2  # of |Δ log|: more than this is not skin
_OVER_TIME = 4.0  # weight of constancy over time against constancy over the face
# Per 30° below the horizon, or per 60° beyond 60° to the side: the lights of rooms and skies come from above and ahead.
_PRIOR = 0.012
_REFERENCE = Light()  # the exposure that intensity 1 means


@dataclass(frozen=True)
class SurfaceSample:
    """What the light is fitted to in one frame: P points, the centres of the mesh's skin triangles.

    `x`, `y`, `z` (P,) canvas pixels; `normals` (P, 3); `weights` (P,) visible area in cm²; `log_luminance` (P,) of
    linear light; `height_px`, `inside` (S, S) for the shadows.
    """

    x: Array
    y: Array
    z: Array
    normals: Array
    weights: Array
    log_luminance: Array
    height_px: Array
    inside: Array
    px_per_cm: float


@dataclass(frozen=True)
class SourceLight:
    """The light that a shot was taken in. Irradiance is `exposure` × (ambient + (1 − ambient) · max(0, n·l) · shadow).

    `ambient` 0..1 is the ambient part of the whole; `exposure` scales it so that the face is as bright as under the
    reference light (`Light()`); `misfit` is the mean truncated |Δ log| that is left, 0 for a perfect fit.
    """

    azimuth_deg: float
    elevation_deg: float
    ambient: float
    exposure: float = 1.0
    misfit: float = 0.0

    @property
    def direction(self) -> Vector:
        return direction_of(self.azimuth_deg, self.elevation_deg)

    def faded(self, other: SourceLight, share: float) -> SourceLight:
        """`share` of the way from this light to the other."""
        mixed = (1 - share) * self.direction + share * other.direction
        azimuth, elevation = angles_of(mixed if np.linalg.norm(mixed) > 1e-3 else other.direction)
        return SourceLight(
            azimuth,
            elevation,
            (1 - share) * self.ambient + share * other.ambient,
            float(self.exposure ** (1 - share) * other.exposure**share),
            (1 - share) * self.misfit + share * other.misfit,
        )

    def irradiance(self, geometry: Geometry) -> Array:
        """(S, S) float32, at least FLOOR × exposure."""
        cosine = np.maximum(geometry.normals @ self.direction.astype(np.float32), 0)
        shadow = 1 - SHADOW_TRUST * (1 - shadow_map(geometry, self.direction, SOURCE_SOFTNESS))
        key = cosine * shadow
        shading: Array = self.exposure * np.maximum(self.ambient + (1 - self.ambient) * key, FLOOR)
        return shading


@dataclass(frozen=True)
class Decomposition:
    """A shot's light, and its albedo where only low frequencies count.

    `log_albedo` (ALBEDO_PX, ALBEDO_PX): deviation of the skin's log albedo from its median, in the mesh's UV space;
    `skin_log` (3,): the skin's median log albedo per RGB channel.
    """

    light: SourceLight
    log_albedo: Array
    skin_log: Array

    def faded(self, other: Decomposition, share: float) -> Decomposition:
        """`share` of the way from this one to the other."""
        return Decomposition(
            self.light.faded(other.light, share),
            (1 - share) * self.log_albedo + share * other.log_albedo,
            (1 - share) * self.skin_log + share * other.skin_log,
        )


@cache
def _skin_triangles() -> Array:
    return face_mesh().skin_triangles


def sample_surface(geometry: Geometry, image: Array | None = None) -> SurfaceSample:
    """The points of one frame that a light can be fitted to. `image` (S, S, 3) uint8 takes the place of the canvas's
    own.
    """
    triangles = _skin_triangles()
    centres = geometry.points_px[triangles].mean(axis=1)
    x, y = (np.ascontiguousarray(centres[:, axis], np.float32) for axis in (0, 1))

    def look(picture: Array) -> Array:
        looked: Array = cv2.remap(picture, x[None], y[None], cv2.INTER_LINEAR)[0]
        return looked

    faces = triangle_normals(geometry.points_px * (1, -1, 1), triangles)
    area = np.linalg.norm(faces, axis=1)
    facing = np.clip(faces[:, 2] / np.maximum(area, 1e-9), 0, 1)
    normals = look(geometry.normals)
    linear = to_linear(geometry.image if image is None else image) @ LUMINANCE
    luminance = look(cv2.GaussianBlur(linear, (0, 0), 0.15 * geometry.px_per_cm))
    seen = (look(geometry.on_mesh.astype(np.float32)) > 0.99) & (normals[:, 2] > 0.15)
    exposed = (luminance > 2e-3) & (luminance < 0.98)  # neither lost in black nor burnt out
    return SurfaceSample(
        x, y, look(geometry.height_px), normals,
        weights=area * facing * seen * exposed / (2 * geometry.px_per_cm**2),
        log_luminance=np.log(np.maximum(luminance, 1e-3)),
        height_px=geometry.height_px, inside=geometry.inside, px_per_cm=geometry.px_per_cm,
    )  # fmt: skip


class LightFit:
    """Searches the source light of some frames of one face under one light."""

    def __init__(self, samples: Sequence[SurfaceSample]) -> None:
        self._samples = samples
        self._normals = np.stack([s.normals for s in samples])
        self._log = np.stack([s.log_luminance for s in samples])
        self._weights = np.stack([s.weights for s in samples])
        self._total = self._weights.sum(axis=0)
        self._seen = self._total > 1e-3
        self._keys: dict[tuple[float, ...], Array] = {}

    @property
    def visible_cm2(self) -> float:
        """Skin that the mean frame shows; without it there is nothing to fit."""
        return float(self._weights.sum()) / len(self._samples)

    def best(self) -> SourceLight:
        """The light that explains the frames best, its exposure set by the reference light."""
        grid = sorted(
            ((self._cost(direction, ratio), direction, ratio) for direction in directions_grid() for ratio in _RATIOS),
            key=lambda entry: entry[0],
        )
        starts: list[tuple[float, Vector, float]] = []
        for entry in grid:
            if all(angle_between_deg(entry[1], other[1]) > 15 for other in starts):
                starts.append(entry)
            if len(starts) == 4:
                break
        light = min((self._refine(direction, ratio) for _, direction, ratio in starts), key=lambda found: found.misfit)
        return replace(light, exposure=self._exposure(light))

    def _key(self, direction: Vector) -> Array:
        """max(0, n·l) × shadow at all points, (F, P)."""
        name = tuple(np.round(direction, 3))
        if name not in self._keys:
            cosine = np.maximum(self._normals @ direction, 0)
            for number, sample in enumerate(self._samples):
                cosine[number] *= shadow_at(
                    sample.height_px, sample.inside, sample.x, sample.y, sample.z, direction, SOURCE_SOFTNESS,
                    sample.px_per_cm,
                )  # fmt: skip
            self._keys[name] = cosine
        return self._keys[name]

    def _cost(self, direction: Vector, ambient: float) -> float:
        residual = self._log - np.log(np.maximum(ambient + (1 - ambient) * self._key(direction), 0.02))
        albedo = (self._weights * residual).sum(axis=0) / np.maximum(self._total, 1e-9)
        median = np.median(albedo[self._seen]) if self._seen.any() else 0.0
        over_face = self._total @ np.minimum(np.abs(albedo - median), _TRUNCATE)
        over_time = (self._weights * np.minimum(np.abs(residual - albedo), _TRUNCATE)).sum()
        azimuth, elevation = angles_of(direction)
        unusual = max(0.0, -elevation / 30) + max(0.0, (abs(azimuth) - 60) / 60)
        return float((over_face + _OVER_TIME * over_time) / max(self._total.sum(), 1e-9)) + _PRIOR * unusual

    def _refine(self, direction: Vector, ambient: float) -> SourceLight:
        """Coordinate descent over azimuth, elevation and ratio, in ever smaller steps."""
        azimuth, elevation = angles_of(direction)
        cost = self._cost(direction, ambient)
        for step in (12.0, 6.0, 3.0):
            better = True
            while better:
                better = False
                factor = 1 + step / 30
                moves = ((step, 0, 1), (-step, 0, 1), (0, step, 1), (0, -step, 1), (0, 0, factor), (0, 0, 1 / factor))
                for right, up, times in moves:
                    tried = azimuth + right, float(np.clip(elevation + up, -85, 85)), float(min(0.95, ambient * times))
                    new = self._cost(direction_of(tried[0], tried[1]), tried[2])
                    if new < cost - 1e-6:
                        (azimuth, elevation, ambient), cost, better = tried, new, True
        azimuth, elevation = angles_of(direction_of(azimuth, elevation))
        return SourceLight(azimuth, elevation, ambient, misfit=cost)

    def _exposure(self, light: SourceLight) -> float:
        """The scale at which the face's mean log irradiance is that under the reference light."""
        source = light.ambient + (1 - light.ambient) * self._key(light.direction)
        reference = _REFERENCE.ambient + _REFERENCE.intensity * np.maximum(self._normals @ _REFERENCE.direction, 0)
        difference = np.log(np.maximum(reference, FLOOR)) - np.log(np.maximum(source, FLOOR))
        return float(np.exp((self._weights * difference).sum() / max(self._weights.sum(), 1e-9)))


def decompose(geometries: Sequence[Geometry], light: SourceLight) -> Decomposition:
    """The albedo of one face under `light`: the mean over the frames of log I − log E, weighted with E² (and the
    view).
    """
    texels = ALBEDO_PX * ALBEDO_PX
    total, weight = np.zeros(texels), np.full(texels, 1e-6)
    skin: list[Array] = []
    for geometry in geometries:
        shading = light.irradiance(geometry)
        log = np.log(np.maximum(to_linear(geometry.image), 2e-3)) - np.log(shading)[..., None]
        sure = np.clip(geometry.normals[..., 2] - 0.1, 0, 1) * geometry.skin
        low = low_frequencies(np.tensordot(log, LUMINANCE, 1), sure, 0.6 * geometry.px_per_cm)
        at = np.flatnonzero(sure > 0)
        if not len(at):
            continue
        u, v = np.clip(geometry.uv.reshape(-1, 2)[at].T * ALBEDO_PX, 0, ALBEDO_PX - 1).astype(int)
        weights = (sure * shading * shading).ravel()[at]
        total += np.bincount(v * ALBEDO_PX + u, weights * low.ravel()[at], texels)
        weight += np.bincount(v * ALBEDO_PX + u, weights, texels)
        skin.append(np.median(log.reshape(-1, 3)[at], axis=0))
    weight_map = weight.reshape(ALBEDO_PX, ALBEDO_PX).astype(np.float32)
    albedo = low_frequencies((total / weight).reshape(weight_map.shape).astype(np.float32), weight_map, 1.0)
    seen = weight_map > 1e-3
    median = float(np.median(albedo[seen])) if seen.any() else 0.0
    skin_log = np.median(np.stack(skin), axis=0) if skin else np.zeros(3)
    return Decomposition(light, np.where(seen, albedo - median, 0).astype(np.float32), skin_log.astype(np.float32))


def low_frequencies(field: Array, weight: Array, sigma_px: float) -> Array:
    """Weighted Gaussian mean of a map (H, W) around every pixel."""
    weight = weight.astype(np.float32)
    above = cv2.GaussianBlur(field.astype(np.float32) * weight, (0, 0), sigma_px)
    mean: Array = above / np.maximum(cv2.GaussianBlur(weight, (0, 0), sigma_px), 1e-3)
    return mean
