"""What happens to a picture between the camera and the file: scaling, filters, compression.

A `Recipe` is drawn once and applied to a forgery and to its genuine twin alike, so that quality never tells them apart.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import av
import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]

_SHRINKERS = (cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4)
_GROWERS = (cv2.INTER_LINEAR, cv2.INTER_CUBIC)


def video_coded(picture: Picture, codec: str, quality: int, frames: int, shift_px: int) -> Picture:
    """The picture as the last of `frames` frames of a video that drifts by `shift_px` a frame: real codec, real motion.

    `quality` is x264's constant rate factor, or the quantiser (1 to 31) of MPEG-1 and MPEG-4. Sizes are made even.
    """
    height, width = (side - side % 2 for side in picture.shape[:2])
    picture = picture[:height, :width]
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="matroska") as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        if codec == "libx264":
            stream.options = {"crf": str(quality), "preset": "veryfast", "threads": "1"}
        else:
            stream.options = {"qmin": str(quality), "qmax": str(quality), "threads": "1"}
        for back in range(frames - 1, -1, -1):
            moved = np.roll(picture, back * shift_px, axis=1)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(moved, format="rgb24")))
        container.mux(stream.encode())
    buffer.seek(0)
    with av.open(buffer) as container:
        decoded = list(container.decode(video=0))
    return np.asarray(decoded[-1].to_ndarray(format="rgb24"), np.uint8)


def jpeg_coded(picture: Picture, quality: int) -> Picture:
    ok, data = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert ok
    return decoded(data)


def decoded(data: NDArray[np.uint8]) -> Picture:
    """The RGB picture in JPEG bytes."""
    picture = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert picture is not None, "not a JPEG"
    return np.ascontiguousarray(picture[..., ::-1])


@dataclass(frozen=True)
class Coding:
    """One generation of compression."""

    codec: str
    quality: int
    frames: int
    shift_px: int

    @classmethod
    def draw(cls, rng: np.random.Generator, hard: bool) -> Coding:
        codec = str(rng.choice(("libx264", "jpeg", "mpeg1video", "mpeg4"), p=(0.66, 0.20, 0.07, 0.07)))
        if codec == "jpeg":
            return cls(codec, int(rng.integers(40 if hard else 65, 98)), 1, 0)
        quality = (
            int(rng.integers(16, 35 if hard else 27)) if codec == "libx264" else int(rng.integers(2, 9 if hard else 5))
        )
        return cls(codec, quality, int(rng.choice((1, 3), p=(0.4, 0.6))), int(rng.integers(0, 3)))

    def apply(self, picture: Picture) -> Picture:
        if self.codec == "jpeg":
            return jpeg_coded(picture, self.quality)
        return video_coded(picture, self.codec, self.quality, self.frames, self.shift_px)


@dataclass(frozen=True)
class Recipe:
    """A camera-to-file path. `side_px` is the size the crop has in the file; `filters` act before compression."""

    side_px: int
    shrinker: int
    grower: int
    filters: tuple[tuple[str, float], ...]
    codings: tuple[Coding, ...]
    noise_seed: int
    gain: tuple[float, float, float]
    gamma: float
    grey: bool
    flip: bool

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Recipe:
        """Most journeys are kind: where every cue is coded away, a network learns to look for gross ones alone."""
        hard = bool(rng.random() < 0.15)
        filters = []
        if rng.random() < (0.3 if hard else 0.06):
            filters.append(("blur", rng.uniform(0.4, 1.6 if hard else 0.8)))
        if rng.random() < 0.08:
            filters.append(("smooth", rng.uniform(10, 45)))  # the beauty filter of phone cameras
        if rng.random() < 0.12:
            filters.append(("noise", rng.uniform(1, 8 if hard else 4)))
        if rng.random() < 0.12:
            filters.append(("sharpen", rng.uniform(0.2, 1.2)))
        generations = int(rng.choice((0, 1, 2), p=(0.05, 0.6, 0.35) if hard else (0.3, 0.62, 0.08)))
        return cls(
            side_px=int(rng.integers(80, 200) if hard else rng.integers(170, 360)),
            shrinker=int(rng.choice(_SHRINKERS)),
            grower=int(rng.choice(_GROWERS)),
            filters=tuple(filters),
            codings=tuple(Coding.draw(rng, hard) for _ in range(generations)),
            noise_seed=int(rng.integers(1 << 31)),
            gain=tuple(float(g) for g in np.clip(rng.normal(1, 0.06) * rng.normal(1, 0.025, 3), 0.7, 1.3)),  # type: ignore[arg-type]
            gamma=float(np.exp(rng.normal(0, 0.14))),
            grey=bool(rng.random() < 0.03),
            flip=bool(rng.random() < 0.5),
        )

    def apply(self, picture: Picture, size: int) -> Picture:
        """The picture after its journey, as a crop of (size, size, 3)."""
        picture = resized(picture, self.side_px, self.shrinker if self.side_px < picture.shape[0] else self.grower)
        picture = self._toned(picture)
        for name, strength in self.filters:
            picture = filtered(picture, name, strength, self.noise_seed)
        for coding in self.codings:
            picture = coding.apply(picture)
        picture = resized(picture, size, cv2.INTER_AREA if picture.shape[0] > size else cv2.INTER_LINEAR)
        return np.ascontiguousarray(picture[:, ::-1]) if self.flip else picture

    def apply_mask(self, mask: NDArray[np.float32], size: int) -> NDArray[np.float32]:
        mask = cv2.resize(mask, (size, size), interpolation=cv2.INTER_AREA)
        return np.ascontiguousarray(mask[:, ::-1]) if self.flip else mask

    def _toned(self, picture: Picture) -> Picture:
        curve = (np.arange(256, dtype=np.float32) / 255) ** self.gamma * 255
        table = np.clip(curve[:, None] * np.array(self.gain, np.float32)[None], 0, 255).astype(np.uint8)
        picture = np.stack([table[picture[..., c], c] for c in range(3)], axis=-1)
        if self.grey:
            picture = np.repeat(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=-1)
        return picture


def resized(picture: Picture, side: int, interpolation: int) -> Picture:
    if picture.shape[0] == side and picture.shape[1] == side:
        return picture
    return np.asarray(cv2.resize(picture, (side, side), interpolation=interpolation), np.uint8)


def filtered(picture: Picture, name: str, strength: float, seed: int = 0) -> Picture:
    """blur (sigma in px), smooth (bilateral, grey levels), noise (deviation in grey levels), sharpen (amount)."""
    if name == "blur":
        return np.asarray(cv2.GaussianBlur(picture, (0, 0), strength), np.uint8)
    if name == "smooth":
        return np.asarray(cv2.bilateralFilter(picture, 5, strength, 3), np.uint8)
    if name == "noise":
        noise = np.random.default_rng(seed).normal(0, strength, picture.shape).astype(np.float32)
        return np.clip(picture + noise, 0, 255).astype(np.uint8)
    if name == "sharpen":
        soft = cv2.GaussianBlur(picture, (0, 0), 1.2)
        return np.asarray(cv2.addWeighted(picture, 1 + strength, soft, -strength, 0), np.uint8)
    raise ValueError(f"unknown filter {name!r}")
