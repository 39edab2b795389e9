"""Genuine shots of moving faces from clips on disk: the ground on which sequences are forged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from detection.records.schema import Span
from detection.training.dataset import Progress
from detection.training.sequences import Shot
from detection.vision.cuts import CutDetector
from detection.vision.following import FaceFollower
from detection.vision.reading import FrameReader
from detection.vision.sampling import SamplingPlan
from detection.vision.types import Image
from detection.vision.video import probe

WINDOW_S = 4.0
MIN_FACE_PX = 90.0
MAX_SIDE_PX = 480
REACH = 2.0  # side of a shot over the extent of its face


@dataclass
class _Track:
    images: list[Image] = field(default_factory=list)
    landmarks: list[NDArray[np.float32]] = field(default_factory=list)


def gather_shots(clips: Path, out: Path, progress: Progress, skip: tuple[str, ...] = ("liveportrait_d20",)) -> int:
    """Writes every face that is followed for WINDOW_S in the clips below `clips` to `out/<clip>-<n>.npz`.

    `skip`: stems that are left out; liveportrait_d20 is a development clip as well. Returns the number of shots.
    """
    out.mkdir(parents=True, exist_ok=True)
    paths = [p for p in sorted(clips.iterdir()) if p.suffix == ".mp4" and p.stem not in skip]
    count = 0
    for done, path in enumerate(paths, start=1):
        for number, shot in enumerate(_shots_of(path)):
            np.savez(
                out / f"{path.stem}-{number}.npz", frames=shot.frames, landmarks=shot.landmarks, rate_hz=shot.rate_hz
            )
            count += 1
        progress("shots", done, len(paths))
    return count


def load_shot(path: Path) -> Shot:
    with np.load(path, allow_pickle=False) as file:
        return Shot(file["frames"], file["landmarks"], float(file["rate_hz"]))


def _shots_of(path: Path) -> Iterator[Shot]:
    video = probe(path)
    plan = SamplingPlan(1 / video.frame_rate, (Span(0.0, video.duration_s),))
    length = round(WINDOW_S * video.frame_rate)
    cuts, follower = CutDetector(), FaceFollower()
    tracks: dict[int, _Track] = {}
    for sample in FrameReader(path, video, plan):
        image = sample.frame.image
        found = follower.step(image, cuts.is_cut(image))
        tracks = {number: tracks.get(number, _Track()) for number, _ in found}  # a gap ends a shot
        for number, face in found:
            tracks[number].images.append(image)
            tracks[number].landmarks.append(face.landmarks_px[:, :2])
            if len(tracks[number].images) == length:
                shot = _cut_out(tracks.pop(number), video.frame_rate)
                if shot is not None:
                    yield shot


def _cut_out(track: _Track, rate_hz: float) -> Shot | None:
    """The square around the face's whole path; None for a small face."""
    points = np.stack(track.landmarks)
    face_px = float(np.median(np.ptp(points, axis=1).max(axis=1)))
    if face_px < MIN_FACE_PX:
        return None
    low, high = points.min(axis=(0, 1)), points.max(axis=(0, 1))
    height, width = track.images[0].shape[:2]
    side = int(min(max((high - low).max() + 0.5 * face_px, REACH * face_px), height, width))
    left, top = np.clip((low + high) / 2 - side / 2, 0, (width - side, height - side)).astype(int)
    target = min(side, MAX_SIDE_PX)
    cut = (image[top : top + side, left : left + side] for image in track.images)
    frames = np.stack([cv2.resize(c, (target, target), interpolation=cv2.INTER_AREA) for c in cut])
    moved = (points - (left, top) + 0.5) * target / side - 0.5
    return Shot(np.asarray(frames, np.uint8), moved.astype(np.float32), rate_hz)
