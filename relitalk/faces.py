"""Following the faces of a clip from frame to frame, and smoothing their landmarks over time."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detection.vision.faces import find_faces, follow_faces
from detection.vision.landmarks import roi_of_mesh
from relitalk.video import ClipFrame

Array = NDArray[Any]

MIN_FACE_PX = 40.0  # below, the landmarks are noise
MAX_FACES = 6  # in one picture; the largest are taken
SMOOTHING_S = 0.06

_CUT_DIFFERENCE = 0.11  # of luminance between two neighbouring frames, relative to the picture's brightness
_CUT_OVER_NEIGHBOURS = 2.0  # times what the frames around differ by: a whip pan is no cut
_CUT_NEIGHBOURS = 2


def with_cuts(frames: Iterator[ClipFrame]) -> Iterator[tuple[ClipFrame, bool]]:
    """The frames, each with whether a new shot begins with it. Runs a few frames ahead of what it yields."""
    held: deque[tuple[ClipFrame, float]] = deque()
    passed: deque[float] = deque([0.0] * _CUT_NEIGHBOURS, maxlen=_CUT_NEIGHBOURS)
    last: Array | None = None

    def oldest() -> tuple[ClipFrame, bool]:
        frame, difference = held.popleft()
        around = max(*passed, *(d for _, d in islice(held, _CUT_NEIGHBOURS)), 0.0)
        passed.append(difference)
        return frame, difference > max(_CUT_DIFFERENCE, _CUT_OVER_NEIGHBOURS * around)

    for frame in frames:
        thumbnail = frame.thumbnail
        held.append((frame, 0.0 if last is None else _difference(last, thumbnail)))
        last = thumbnail
        if len(held) > _CUT_NEIGHBOURS:
            yield oldest()
    while held:
        yield oldest()


def _difference(before: Array, after: Array) -> float:
    """Mean difference of two thumbnails, less a change of exposure (a flash is no cut), relative to their
    brightness.
    """
    gain = float((before * after).sum() / max(float((after * after).sum()), 1e-6))
    absolute = float(np.abs(before - np.clip(gain, 0.7, 1.4) * after).mean())
    return absolute / max(0.25, 2 * float(before.mean()))


def face_size(landmarks_px: Array) -> float:
    """The longer side of the landmarks' extent, in pixels."""
    return float(np.ptp(landmarks_px[:, :2], axis=0).max())


def face_centre(landmarks_px: Array) -> Array:
    """The centre of the landmarks' extent, (2,)."""
    centre: Array = (landmarks_px[:, :2].min(axis=0) + landmarks_px[:, :2].max(axis=0)) / 2
    return centre


def detect(image: Array) -> list[Array]:
    """Landmarks (468, 3) of the faces in a picture that are large enough, the largest first."""
    found = [face.landmarks_px for face in find_faces(image)]
    found = [landmarks for landmarks in found if face_size(landmarks) >= MIN_FACE_PX]
    return sorted(found, key=face_size, reverse=True)[:MAX_FACES]


class FaceFollower:
    """Follows faces through neighbouring frames: the mesh of the frame before says where to look.

    The detector looks again every `detect_every` frames, so that new faces are found and lost ones let go.
    """

    def __init__(self, detect_every: int) -> None:
        self._detect_every = max(1, detect_every)
        self._tracks: dict[int, Array] = {}
        self._next_id = 0
        self._since = self._detect_every
        self.refreshed = False

    def step(self, image: Array, cut: bool = False) -> dict[int, Array]:
        """Landmarks (468, 3) in pixels by track number. `refreshed` tells whether the detector looked."""
        if cut:
            self._tracks, self._since = {}, self._detect_every
        numbers = list(self._tracks)
        followed = follow_faces(image, [roi_of_mesh(self._tracks[n]) for n in numbers])
        self._tracks = {
            n: face.landmarks_px
            for n, face in zip(numbers, followed, strict=True)
            if face is not None and face_size(face.landmarks_px) >= MIN_FACE_PX * 0.8
        }
        self._drop_doubles()
        self._since += 1
        # A lost face is looked for at once, but not in every frame of a stretch without one.
        lost = len(self._tracks) < len(numbers)
        self.refreshed = lost or self._since >= (self._detect_every if self._tracks else min(5, self._detect_every))
        if self.refreshed:
            self._since = 0
            for landmarks in detect(image):
                if len(self._tracks) < MAX_FACES and not any(
                    _same(landmarks, known) for known in self._tracks.values()
                ):
                    self._tracks[self._next_id] = landmarks
                    self._next_id += 1
        return dict(self._tracks)

    def _drop_doubles(self) -> None:
        kept: dict[int, Array] = {}
        for number, landmarks in self._tracks.items():
            if not any(_same(landmarks, known) for known in kept.values()):
                kept[number] = landmarks
        self._tracks = kept


def _same(one: Array, other: Array) -> bool:
    distance = float(np.hypot(*(face_centre(one) - face_centre(other))))
    return distance < 0.5 * min(face_size(one), face_size(other))


def smooth(times_s: list[float], landmarks_px: list[Array], at_s: float) -> Array:
    """Landmarks (468, 3) at `at_s`: a Gaussian-weighted straight line through those of the neighbouring frames.

    A line, not a mean: at the ends of a track a mean lags behind a moving head.
    """
    offset = np.array(times_s) - at_s
    weights = np.exp(-0.5 * (offset / SMOOTHING_S) ** 2)
    weights /= weights.sum()
    centre = float(weights @ offset)
    spread = float(weights @ (offset - centre) ** 2)
    stack = np.stack(landmarks_px)
    mean = np.tensordot(weights, stack, 1)
    if len(times_s) < 3 or spread < 1e-6:
        return mean
    slope = np.tensordot(weights * (offset - centre), stack - mean, 1) / spread
    line: Array = mean - slope * centre
    return line
