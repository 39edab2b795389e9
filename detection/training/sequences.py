"""Forgeries on moving faces, frame by frame, from genuine clips: for detectors that look at a face over time.

Kinds, each with its own steadiness over time drawn once per clip:
- swap: another person's portrait warped onto the face of every frame, at the resolution of a generator, colour-matched
  anew in every frame, blended through a mask that trembles with the landmarks;
- self: the face's own picture through the same steps;
- mouth: the mouth of another moment, 96 pixels small, pasted over the lower face (lip-sync);
- portrait: the whole picture painted anew in every frame, from the clip's own frames or from one still that is moved
  like the clip (portrait animation): fine texture that boils, parts that brighten and dim, no border.

A forgery and its genuine twin go through the same file: size, rate and a real encoder.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from detection.training import degrade, masks, warps
from detection.training.forgeries import Portrait

Picture = NDArray[np.uint8]
Pictures = NDArray[np.uint8]
Field = NDArray[np.float32]

KINDS = ("swap", "self", "mouth", "portrait")


@dataclass(frozen=True)
class Shot:
    """A genuine moving face: `frames` (N, S, S, 3) RGB, `landmarks` (N, 468, 2) in their pixels, frames a second."""

    frames: Pictures
    landmarks: NDArray[np.float32]
    rate_hz: float

    @property
    def side(self) -> int:
        return int(self.frames.shape[1])


def reduced(shot: Shot, side_px: int, stride: int) -> Shot:
    """Every `stride`th frame of the shot at another size: forgers work on the file's pixels."""
    scale = side_px / shot.side
    frames = np.stack([degrade.resized(frame, side_px, cv2.INTER_AREA) for frame in shot.frames[::stride]])
    landmarks = ((shot.landmarks[::stride] + 0.5) * scale - 0.5).astype(np.float32)
    return Shot(frames, landmarks, shot.rate_hz / stride)


def forge_shot(shot: Shot, kind: str, still: Portrait, rng: np.random.Generator) -> Pictures:
    """The shot with a forged face, frames (N, S, S, 3). `still`: another person's portrait, for swap and portrait."""
    forge: Callable[[Shot, Portrait, np.random.Generator], Pictures] = {
        "swap": _swapped,
        "self": _repainted,
        "mouth": _mouthed,
        "portrait": _animated,
    }[kind]
    return forge(shot, still, rng)


def _swapped(shot: Shot, still: Portrait, rng: np.random.Generator) -> Pictures:
    tremble = _tremble(shot, rng)
    sources = (warps.lay_over(still.image, still.landmarks, points, shot.side) for points in shot.landmarks + tremble)
    return _pasted(shot, list(sources), str(rng.choice(("whole", "inner", "forehead"))), rng)


def _repainted(shot: Shot, _: Portrait, rng: np.random.Generator) -> Pictures:
    tremble = _tremble(shot, rng)
    pairs = zip(shot.frames, shot.landmarks, tremble, strict=True)
    sources = [warps.lay_over(frame, points, points + off, shot.side) for frame, points, off in pairs]
    return _pasted(shot, sources, str(rng.choice(("whole", "inner", "lower"))), rng)


def _mouthed(shot: Shot, _: Portrait, rng: np.random.Generator) -> Pictures:
    """Mouths of another moment: what is said and what the rest of the face does no longer belong together."""
    count = len(shot.frames)
    others = (np.arange(count) + int(rng.integers(count // 4, max(count // 4 + 1, count // 2)))) % count
    sources = []
    for other, points in zip(others, shot.landmarks + _tremble(shot, rng), strict=True):
        moved = _with_pose_of(shot.landmarks[other], points)
        sources.append(warps.lay_over(shot.frames[other], shot.landmarks[other], moved, shot.side))
    return _pasted(shot, sources, "mouth", rng, painted_px=(64, 110))


def _with_pose_of(points: NDArray[np.float32], target: NDArray[np.float32]) -> NDArray[np.float32]:
    """`points` (468, 2) moved by the affine map that best lays them on `target`: its pose, their expression."""
    design = np.hstack([points, np.ones((len(points), 1), np.float32)])
    return np.asarray(design @ np.linalg.lstsq(design, target, rcond=None)[0], np.float32)


def _animated(shot: Shot, still: Portrait, rng: np.random.Generator) -> Pictures:
    frames = shot.frames
    if rng.random() < 0.5:
        start = _with_pose_of(still.landmarks, shot.landmarks[0])
        base = warps.lay_over(still.image, still.landmarks, start, shot.side)
        motion = shot.landmarks - shot.landmarks[0] + _tremble(shot, rng)
        frames = np.stack([warps.lay_over(base, start, start + step, shot.side) for step in motion])
    boiling = Boiling.draw(rng, _face_px(shot))
    low = int(np.clip(_face_px(shot) * rng.uniform(0.6, 1.2), 64, 400) * shot.side / _face_px(shot))
    painted = []
    noise = _Fields(boiling, shot.side, rng)
    for frame in frames:
        small = degrade.resized(frame, min(low, shot.side), cv2.INTER_AREA)
        painted.append(noise.boil(degrade.resized(small, shot.side, cv2.INTER_CUBIC)))
    return np.stack(painted)


def _pasted(
    shot: Shot, sources: list[Picture], region: str, rng: np.random.Generator, painted_px: tuple[int, int] = (70, 200)
) -> Pictures:
    """Each source painted at low resolution, boiling, colour-matched and blended into its frame."""
    face_px = _face_px(shot)
    low = int(np.clip(rng.uniform(*painted_px) * shot.side / face_px, 32, shot.side))
    sharpen = rng.uniform(0, 1.2) if rng.random() < 0.4 else 0.0
    boiling = Boiling.draw(rng, face_px)
    # A swap's generator paints smoothly, without the grain of a sensor: it shimmers in broad patches.
    noise = _Fields(replace(boiling, grain=0.3 * boiling.grain), shot.side, rng)
    unsteady = rng.uniform(0.0, 1.0)  # how much of each frame's own colour match is followed
    outline, drawn = (
        rng.integers(1 << 31),
        rng.normal(0, rng.uniform(0.0, 0.006) * face_px, shot.landmarks[:, :1].shape),
    )
    match: NDArray[np.float32] | None = None
    forged = []
    for frame, points, source, shake in zip(shot.frames, shot.landmarks, sources, drawn, strict=True):
        once = np.random.default_rng(outline)  # the same mask in every frame, up to the shaking of the landmarks
        hard = masks.region(region, (points + shake).astype(np.float32), shot.side, once)
        alpha = masks.soften(hard, once)[..., None]
        painted = degrade.resized(degrade.resized(source, low, cv2.INTER_AREA), shot.side, cv2.INTER_CUBIC)
        found = _colour_match(painted, frame, hard)
        match = found if match is None else match + (found - match) * unsteady
        painted = np.clip(painted * match[0] + match[1] + 0.5, 0, 255).astype(np.uint8)
        if sharpen:
            painted = degrade.filtered(painted, "sharpen", sharpen)
        forged.append(np.clip(frame + (noise.boil(painted) - frame.astype(np.float32)) * alpha + 0.5, 0, 255))
    return np.stack(forged).astype(np.uint8)


def _colour_match(source: Picture, target: Picture, region: Field) -> NDArray[np.float32]:
    """Gain and offset of each colour, shape (2, 3), that give the source the target's mean and spread in the region."""
    inside = region[::2, ::2] > 0.5
    if inside.sum() < 16:
        return np.array([[1, 1, 1], [0, 0, 0]], np.float32)
    have, want = source[::2, ::2][inside].astype(np.float32), target[::2, ::2][inside].astype(np.float32)
    gain = np.clip((want.std(0) + 1) / (have.std(0) + 1), 0.5, 2.0)
    return np.stack([gain, want.mean(0) - gain * have.mean(0)])


def _face_px(shot: Shot) -> float:
    return float(np.median(np.ptp(shot.landmarks, axis=1).max(axis=1)))


def _tremble(shot: Shot, rng: np.random.Generator) -> NDArray[np.float32]:
    """Errors of a forger's landmarks (N, 468, 2): one part common to the face, one of neighbouring points together."""
    count, face_px = len(shot.frames), _face_px(shot)
    common = rng.normal(0, rng.uniform(0.0, 0.004), (count, 1, 2))
    centre = shot.landmarks[0] / shot.side * 2 * np.pi
    waves = rng.normal(0, rng.uniform(0.0, 0.004), (count, 3, 2))
    phases = np.stack([np.sin(k * centre[:, 0] + k * 1.3) * np.cos(k * centre[:, 1]) for k in (2, 4, 7)])
    local = np.einsum("nkc,kp->npc", waves, phases)
    return np.asarray(_smoothed(common + local, rng.uniform(0, 0.6)) * face_px, np.float32)


def _smoothed(series: NDArray[np.float64], memory: float) -> NDArray[np.float64]:
    """Noise with a memory of the frame before, at the same strength."""
    out = series.copy()
    for i in range(1, len(out)):
        out[i] = memory * out[i - 1] + np.sqrt(1 - memory**2) * series[i]
    return out


@dataclass(frozen=True)
class Boiling:
    """How a frame-wise generator wavers: shifts of detail, grain over contrast, brightness of parts in grey levels.

    `…reach_px` and `grain_px`: how far points move, brighten or dim together; `memory` (0 to 1): of the frame before.
    """

    shift_px: float
    shift_reach_px: float
    grain: float
    grain_px: float
    glow: float
    glow_reach_px: float
    memory: float

    @classmethod
    def draw(cls, rng: np.random.Generator, face_px: float) -> Boiling:
        unit = face_px / 200
        return cls(
            shift_px=float(rng.uniform(0, 0.9) * unit),
            shift_reach_px=float(rng.uniform(4, 20) * unit),
            grain=float(rng.uniform(0, 0.25)),
            grain_px=float(rng.uniform(0.8, 2.5) * unit),
            glow=float(rng.uniform(0, 3)),
            glow_reach_px=float(rng.uniform(10, 40) * unit),
            memory=float(rng.uniform(0, 0.85)),
        )


class _Fields:
    """Random fields that change from frame to frame as `Boiling` says."""

    def __init__(self, boiling: Boiling, side: int, rng: np.random.Generator) -> None:
        self._boiling, self._side, self._rng = boiling, side, rng
        self._last: dict[str, Field] = {}
        self._ys, self._xs = np.mgrid[0:side, 0:side].astype(np.float32)

    def boil(self, picture: Picture) -> Picture:
        b = self._boiling
        dx, dy = self._field("dx", b.shift_reach_px) * b.shift_px, self._field("dy", b.shift_reach_px) * b.shift_px
        moved = cv2.remap(picture, self._xs + dx, self._ys + dy, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
        grey = cv2.cvtColor(moved, cv2.COLOR_RGB2GRAY).astype(np.float32)
        contrast = cv2.GaussianBlur(np.abs(grey - cv2.GaussianBlur(grey, (0, 0), 3)), (0, 0), 4)
        change = self._field("grain", b.grain_px) * b.grain * contrast + self._field("glow", b.glow_reach_px) * b.glow
        return np.clip(moved + change[..., None] + 0.5, 0, 255).astype(np.uint8)

    def _field(self, name: str, reach_px: float) -> Field:
        """Smooth noise of unit strength, shape (side, side)."""
        cells = max(2, int(self._side / max(1.0, reach_px)))
        coarse = self._rng.normal(0, 1, (cells, cells)).astype(np.float32)
        memory = self._boiling.memory
        if name in self._last:
            coarse = memory * self._last[name] + np.float32(np.sqrt(1 - memory**2)) * coarse
        self._last[name] = coarse
        return np.asarray(cv2.resize(coarse, (self._side, self._side), interpolation=cv2.INTER_CUBIC), np.float32)


@dataclass(frozen=True)
class Journey:
    """The file that a shot ends in: its size, what a camera or editor does before, and the encoder's settings."""

    side_px: int
    filters: tuple[tuple[str, float], ...]
    codec: str
    quality: int
    seed: int

    @classmethod
    def draw(cls, rng: np.random.Generator, shot: Shot) -> Journey:
        scale = rng.uniform(100, 240) / _face_px(shot)
        filters = []
        if rng.random() < 0.15:
            filters.append(("blur", float(rng.uniform(0.4, 1.0))))
        if rng.random() < 0.2:
            filters.append(("noise", float(rng.uniform(1, 5))))
        if rng.random() < 0.15:
            filters.append(("sharpen", float(rng.uniform(0.2, 1.0))))
        codec = str(rng.choice(("libx264", "mpeg4"), p=(0.8, 0.2)))
        quality = int(rng.integers(17, 31) if codec == "libx264" else rng.integers(2, 7))
        side = min(1.0, scale) * shot.side
        return cls(2 * round(side / 2), tuple(filters), codec, quality, int(rng.integers(1 << 31)))

    def write(self, frames: Pictures, rate_hz: float, path: Path) -> None:
        """Writes `frames` (N, S, S, 3) to `path`, a Matroska file."""
        with av.open(str(path), "w", format="matroska") as container:
            stream = container.add_stream(self.codec, rate=Fraction(rate_hz).limit_denominator(1000))
            stream.width = stream.height = self.side_px
            stream.pix_fmt = "yuv420p"
            if self.codec == "libx264":
                stream.options = {"crf": str(self.quality), "preset": "veryfast", "threads": "1"}
            else:
                stream.options = {"qmin": str(self.quality), "qmax": str(self.quality), "threads": "1"}
            for number, frame in enumerate(frames):
                picture = degrade.resized(frame, self.side_px, cv2.INTER_AREA)
                for name, strength in self.filters:
                    picture = degrade.filtered(picture, name, strength, self.seed + number)
                coded = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
                container.mux(stream.encode(coded))
            container.mux(stream.encode())
