"""Measures of a relit clip: how well the decomposition explains it, whether it flickers, whose face it is, where its
light is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.metrics import structural_similarity

from relitalk.decompose import Decomposition, LightFit, SourceLight, SurfaceSample
from relitalk.geometry import GAMMA, Geometry, to_linear
from relitalk.light import Vector, angle_between_deg

Array = NDArray[Any]

RECONSTRUCTION_PX = 128  # side of the UV albedo that a frame is rendered from
MAX_PSNR_DB = 60.0


@dataclass(frozen=True)
class Reconstruction:
    """How like the frames their renderings are: UV albedo × the estimated source light, over the visible skin of the
    mesh.
    """

    psnr_db: float
    ssim: float

    @staticmethod
    def mean_of(parts: Sequence[Reconstruction]) -> Reconstruction | None:
        if not parts:
            return None
        return Reconstruction(sum(p.psnr_db for p in parts) / len(parts), sum(p.ssim for p in parts) / len(parts))


@dataclass(frozen=True)
class Measures:
    """What was measured on a relit clip.

    `reconstruction_psnr_db`, `reconstruction_ssim`: see `Reconstruction`. `identity_similarity`: mean cosine of the
    SFace embeddings of source and relit faces. `flicker_source`, `flicker_relit`: see `Flicker`.
    `direction_error_deg`: angle between the light asked for and the one estimated anew from the relit frames. None
    where there was nothing to measure it on.
    """

    reconstruction_psnr_db: float | None
    reconstruction_ssim: float | None
    identity_similarity: float | None
    flicker_source: float | None
    flicker_relit: float | None
    direction_error_deg: float | None


def psnr_db(image: Array, reference: Array, mask: Array) -> float:
    """Peak signal-to-noise ratio of display values (H, W, 3) in 0..1 over a mask (H, W)."""
    error = float(np.mean((image[mask] - reference[mask]) ** 2))
    return min(MAX_PSNR_DB, 10 * float(np.log10(1 / max(error, 1e-9))))


def ssim(image: Array, reference: Array, mask: Array) -> float:
    """Structural similarity (Gaussian window of σ 1.5) of display values (H, W, 3) in 0..1, its mean over a mask (H,
    W).
    """
    _, whole = structural_similarity(
        image, reference, channel_axis=2, data_range=1.0, gaussian_weights=True, sigma=1.5,
        use_sample_covariance=False, full=True,
    )  # fmt: skip
    return float(whole[mask].mean())


def gain_aligned(image: Array, reference: Array, mask: Array) -> Array:
    """`image` (H, W, 3) in 0..1 scaled in linear light by the one factor that fits `reference` best over a mask, as
    display values.
    """
    linear, target = image.astype(float) ** GAMMA, reference.astype(float) ** GAMMA
    gain = float((linear[mask] * target[mask]).sum() / max(float((linear[mask] ** 2).sum()), 1e-12))
    aligned: Array = np.clip(gain * linear, 0, 1) ** (1 / GAMMA)
    return aligned


def reconstruction(geometries: Sequence[Geometry], decomposition: Decomposition) -> Reconstruction:
    """Renders frames from one UV albedo and the source light alone, and compares. A frame's own detail is not used.

    The albedo is the mean over the frames of log I − log E, weighted with E², as everywhere.
    """
    size = RECONSTRUCTION_PX
    total, weight = np.zeros((size * size, 3)), np.full(size * size, 1e-9)
    shadings = [decomposition.light.irradiance(g) for g in geometries]
    for geometry, shading in zip(geometries, shadings, strict=True):
        at = np.flatnonzero(geometry.on_mesh & (geometry.normals[..., 2] > 0.2))
        u, v = np.clip(geometry.uv.reshape(-1, 2)[at].T * size, 0, size - 1).astype(int)
        log = np.log(np.maximum(to_linear(geometry.image), 1e-3)) - np.log(shading)[..., None]
        weights = (shading * shading).ravel()[at]
        weight += np.bincount(v * size + u, weights, size * size)
        for channel in range(3):
            total[:, channel] += np.bincount(v * size + u, weights * log.reshape(-1, 3)[at, channel], size * size)
    # Texels between the pixels of a small face are seen by none: their neighbours fill them.
    above = cv2.GaussianBlur(total.reshape(size, size, 3), (0, 0), 0.6)
    below = cv2.GaussianBlur(weight.reshape(size, size), (0, 0), 0.6)
    albedo = np.exp(above / below[..., None])
    found: list[tuple[float, float]] = []
    for geometry, shading in zip(geometries, shadings, strict=True):
        u, v = (np.ascontiguousarray(geometry.uv[..., axis] * size - 0.5) for axis in (0, 1))
        texture = cv2.remap(albedo.astype(np.float32), u, v, cv2.INTER_LINEAR)
        mask = geometry.on_mesh & (geometry.normals[..., 2] > 0.2)
        if not mask.any():
            continue
        rendered = np.clip(texture * shading[..., None], 0, 1) ** (1 / GAMMA)
        reference = geometry.image.astype(np.float32) / 255
        found.append((psnr_db(rendered, reference, mask), ssim(rendered.astype(np.float32), reference, mask)))
    if not found:
        return Reconstruction(0.0, 0.0)
    psnrs, ssims = zip(*found, strict=True)
    return Reconstruction(float(np.mean(psnrs)), float(np.mean(ssims)))


class Flicker:
    """Flicker of a face: the root mean square over time of the second difference of log luminance at points of the
    surface.

    A steady change, as of a turning head, has none; what jumps from one frame to the next has. Fed with the samples of
    neighbouring frames, in order; a gap starts anew.
    """

    def __init__(self) -> None:
        self._last: list[SurfaceSample] = []
        self._sum = 0.0
        self._weight = 0.0

    def add(self, sample: SurfaceSample) -> None:
        self._last.append(sample)
        if len(self._last) < 3:
            return
        a, b, c = self._last
        weights = np.minimum(np.minimum(a.weights, b.weights), c.weights)
        second = np.clip(a.log_luminance - 2 * b.log_luminance + c.log_luminance, -0.5, 0.5)  # a blink is no flicker
        self._sum += float(weights @ second**2)
        self._weight += float(weights.sum())
        self._last = self._last[1:]

    def gap(self) -> None:
        """The next sample does not follow the last one."""
        self._last = []

    @property
    def value(self) -> float | None:
        return (self._sum / self._weight) ** 0.5 if self._weight > 0 else None


def read_back(samples: Sequence[SurfaceSample], direction: Vector) -> tuple[SourceLight, float] | None:
    """The light estimated from relit frames, and its angle in degrees to the direction that was asked for."""
    if not samples:
        return None
    light = LightFit(samples).best()
    return light, angle_between_deg(light.direction, direction)
