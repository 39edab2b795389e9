"""What travels from the eyes (vision) to the detectors. Images are RGB uint8, times are seconds, boxes are pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detection.records.schema import Span, VideoProperties

Image = NDArray[np.uint8]
Array = NDArray[Any]

CROP_SIZE_PX = 256
CROP_SCALE = 1.4  # side of the square crop over the longer side of the face's box (faces.face_box)


@dataclass(frozen=True)
class Frame:
    """One decoded frame, upright. `image` has shape (H, W, 3)."""

    index: int
    time_s: float
    image: Image


@dataclass(frozen=True)
class Box:
    """An axis-aligned box in pixels of the upright frame."""

    x: float
    y: float
    width: float
    height: float

    @property
    def centre(self) -> tuple[float, float]:
        return self.x + self.width / 2, self.y + self.height / 2


@dataclass(frozen=True)
class FaceQuality:
    """Measurements that decide whether a face can be judged; `reasons` is empty when it can."""

    size_px: float
    sharpness: float
    yaw_deg: float
    pitch_deg: float
    roll_deg: float
    reasons: tuple[str, ...] = ()

    @property
    def usable(self) -> bool:
        return not self.reasons


@dataclass(frozen=True)
class Face:
    """One face in one frame.

    Shapes: `points_px` (5, 2) and `landmarks_px` (468, 3) in pixels of the upright frame (z in the same scale, smaller
    is nearer); `crop` (CROP_SIZE_PX, CROP_SIZE_PX, 3), the square of CROP_SCALE × the longer side of `box`, centred on
    it; `crop_from_frame` (2, 3) maps frame pixels to crop pixels. `embedding` (128,), a unit vector that tells people
    apart (identity.embed_faces), is there for a few faces, spread over time, and None for the others.
    """

    frame_index: int
    time_s: float
    box: Box
    confidence: float
    points_px: Array
    landmarks_px: Array
    crop: Image
    crop_from_frame: Array
    quality: FaceQuality
    embedding: Array | None = None


@dataclass(frozen=True)
class KeyFrame:
    """A frame chosen to stand for a person.

    `face` indexes Person.faces; `scene` is the frame scaled by `scale` to at most 960 px.
    """

    face: int
    scene: Image
    scale: float


@dataclass(frozen=True)
class Person:
    """One person followed through the video.

    `faces` are in order of time; neighbours inside a span are a regular step apart.
    """

    id: int
    faces: tuple[Face, ...]
    spans: tuple[Span, ...]
    key_frames: tuple[KeyFrame, ...]


@dataclass(frozen=True)
class Observation:
    """All that the detectors get to know of a video."""

    video: VideoProperties
    people: tuple[Person, ...]
    frames_decoded: int
    frames_analysed: int
