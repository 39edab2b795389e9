"""Forgeries made from genuine faces alone, so that what a network learns is not one method's fingerprint.

Kinds:
- self: a changed copy of the face blended back (Self-Blended Images, Shiohara and Yamasaki, CVPR 2022);
- swap: another person's face, warped to the landmarks, colour-matched, blended (as Face X-ray, Li et al., CVPR 2020);
- regenerated: the face as an auto-encoder paints it, pasted back whole or in part (as DeepFaceLab and Wav2Lip do);
- portrait: the whole picture as an auto-encoder paints it, no border at all (portrait animation, diffusion).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from detection.training import degrade, masks, warps

Picture = NDArray[np.uint8]
Mask = NDArray[np.float32]

KINDS = ("self", "swap", "regenerated", "portrait")
KIND_WEIGHTS = (0.64, 0.16, 0.12, 0.08)
REGION_WEIGHTS = {  # what each kind of forger replaces, in the order of masks.REGIONS
    "self": (0.28, 0.14, 0.16, 0.14, 0.12, 0.10, 0.06),
    "swap": (0.44, 0.28, 0.28, 0.0, 0.0, 0.0, 0.0),
    "regenerated": (0.30, 0.16, 0.14, 0.16, 0.24, 0.0, 0.0),
}


@dataclass(frozen=True)
class Portrait:
    """A genuine face: `image` (S, S, 3) RGB, `landmarks` (468, 2) in its pixels."""

    image: Picture
    landmarks: NDArray[np.float32]


@dataclass(frozen=True)
class Forgery:
    """`image` (S, S, 3); `mask` (S, S), 1 where it was manipulated; `kind` as listed above, with its region."""

    image: Picture
    mask: Mask
    kind: str


class Portraits(Protocol):
    """Where portraits come from. `regenerated` gives the portrait as one of the auto-encoders paints it, or None."""

    def __len__(self) -> int: ...
    def portrait(self, index: int) -> Portrait: ...
    def partner(self, index: int, rng: np.random.Generator) -> int: ...
    def regenerated(self, index: int, rng: np.random.Generator, whole: bool) -> Picture | None: ...


def forge(
    base: Picture, portraits: Portraits, index: int, rng: np.random.Generator, weights: tuple[float, ...] = KIND_WEIGHTS
) -> Forgery:
    """A forgery of portrait `index`. `base` is that portrait as the forger got it (perhaps compressed already)."""
    kind = str(rng.choice(KINDS, p=weights))
    portrait = portraits.portrait(index)
    if kind == "portrait":
        painted = portraits.regenerated(index, rng, whole=True)
        if painted is not None:
            return Forgery(_finished(painted, rng), np.ones(base.shape[:2], np.float32), kind)
        kind = "self"
    if kind == "regenerated":
        source = portraits.regenerated(index, rng, whole=False)
        kind = kind if source is not None else "self"
    if kind == "swap":
        source = _swapped(portrait, portraits, index, rng)
    elif kind == "self":
        source = _changed_copy(base, rng)
    assert source is not None
    region = str(rng.choice(masks.REGIONS, p=REGION_WEIGHTS[kind]))
    hard = masks.region(region, portrait.landmarks, base.shape[0], rng)
    if kind != "self":
        source = _as_painted(source, base, hard, rng)
    if (
        kind == "self" and rng.random() < 0.5
    ):  # the face as it was on changed surroundings: the difference cuts both ways
        source, base = base, source
    image, alpha = _blended(source, base, hard, rng, strength=1.0 if kind != "self" else None)
    return Forgery(image, alpha, f"{kind}/{region}")


def _swapped(portrait: Portrait, portraits: Portraits, index: int, rng: np.random.Generator) -> Picture:
    other = portraits.portrait(portraits.partner(index, rng))
    return warps.lay_over(other.image, other.landmarks, portrait.landmarks, portrait.image.shape[0])


def _changed_copy(base: Picture, rng: np.random.Generator) -> Picture:
    """Colour, frequency and geometry slightly changed, each with its own chance, at least one of them for certain."""
    steps = [s for s in ("colour", "frequency", "geometry") if rng.random() < 0.6] or [
        str(rng.choice(("colour", "frequency")))
    ]
    picture = base
    if "colour" in steps:
        picture = _recoloured(picture, rng)
    if "frequency" in steps:
        picture = _requantised(picture, rng)
    if "geometry" in steps:
        picture = warps.nudge(picture, rng)
    return picture


def _recoloured(picture: Picture, rng: np.random.Generator) -> Picture:
    hsv = cv2.cvtColor(picture, cv2.COLOR_RGB2HSV).astype(np.float32)
    hsv[..., 0] = (hsv[..., 0] + rng.normal(0, 4)) % 180
    hsv[..., 1] *= 1 + rng.normal(0, 0.12)
    hsv[..., 2] = (hsv[..., 2] - 128) * (1 + rng.normal(0, 0.07)) + 128 + rng.normal(0, 8)
    picture = cv2.cvtColor(np.clip(hsv, 0, 255).astype(np.uint8), cv2.COLOR_HSV2RGB)
    return np.clip(picture + rng.normal(0, 5, 3).astype(np.float32), 0, 255).astype(np.uint8)


def _requantised(picture: Picture, rng: np.random.Generator) -> Picture:
    """Another sharpness: through a smaller size, a blur, a sharpening or a compression of its own."""
    way = int(rng.integers(4))
    size = picture.shape[0]
    if way == 0:
        small = degrade.resized(picture, int(size * rng.uniform(0.25, 0.8)), cv2.INTER_AREA)
        return degrade.resized(small, size, int(rng.choice((cv2.INTER_LINEAR, cv2.INTER_CUBIC))))
    if way == 1:
        return degrade.filtered(picture, "blur", rng.uniform(0.5, 2.2))
    if way == 2:
        return degrade.filtered(picture, "sharpen", rng.uniform(0.4, 1.8))
    return degrade.jpeg_coded(picture, int(rng.integers(25, 80)))


def _as_painted(source: Picture, base: Picture, region: Mask, rng: np.random.Generator) -> Picture:
    """What forgery programs do to a generated face before they paste it: their size, colour match, sharpening."""
    if rng.random() < 0.5:
        size = source.shape[0]
        small = degrade.resized(source, int(size * rng.uniform(0.3, 0.9)), cv2.INTER_AREA)
        source = degrade.resized(small, size, cv2.INTER_CUBIC)
    if rng.random() < 0.85:
        source = matched_colour(source, base, region)
    if rng.random() < 0.4:
        source = degrade.filtered(source, "sharpen", rng.uniform(0.3, 2.0))
    if rng.random() < 0.3:
        source = warps.nudge(source, rng, 0.6)
    return source


def matched_colour(source: Picture, target: Picture, region: Mask) -> Picture:
    """Reinhard colour transfer (2001) in Lab, with the statistics of the region alone."""
    inside = region > 0.5
    if inside.sum() < 16:
        return source
    lab = cv2.cvtColor(source, cv2.COLOR_RGB2LAB).astype(np.float32)
    goal = cv2.cvtColor(target, cv2.COLOR_RGB2LAB).astype(np.float32)
    mean, spread = lab[inside].mean(0), lab[inside].std(0) + 1e-3
    goal_mean, goal_spread = goal[inside].mean(0), goal[inside].std(0)
    ratio = np.clip(goal_spread / spread, 0.5, 2.0)
    lab = (lab - mean) * ratio + goal_mean
    return np.asarray(cv2.cvtColor(np.clip(lab, 0, 255).astype(np.uint8), cv2.COLOR_LAB2RGB), np.uint8)


def _blended(
    source: Picture, base: Picture, region: Mask, rng: np.random.Generator, strength: float | None
) -> tuple[Picture, Mask]:
    """Pasted with a soft, deformed mask, sometimes through Poisson blending first: the picture and its alpha."""
    alpha = masks.soften(region, rng)
    if strength is None:
        strength = float(rng.choice((0.25, 0.5, 0.75, 1.0, 1.0, 1.0)))
    alpha = alpha * strength
    if rng.random() < 0.12:
        source = _poisson(source, base, region)
    image = base + (source.astype(np.float32) - base) * alpha[..., None]
    return np.clip(image + 0.5, 0, 255).astype(np.uint8), alpha


def _poisson(source: Picture, base: Picture, region: Mask) -> Picture:
    inner = region.copy()
    inner[:2], inner[-2:], inner[:, :2], inner[:, -2:] = 0, 0, 0, 0  # seamlessClone wants a rim
    ys, xs = np.nonzero(inner > 0.5)
    if len(ys) < 64:
        return source
    centre = (int(xs.min() + xs.max() + 1) // 2, int(ys.min() + ys.max() + 1) // 2)
    return np.asarray(
        cv2.seamlessClone(source, base, (inner > 0.5).astype(np.uint8) * 255, centre, cv2.NORMAL_CLONE), np.uint8
    )


def _finished(picture: Picture, rng: np.random.Generator) -> Picture:
    if rng.random() < 0.3:
        picture = degrade.filtered(picture, "sharpen", rng.uniform(0.2, 1.2))
    return picture
