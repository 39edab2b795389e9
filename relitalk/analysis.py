"""The first pass over a clip: its shots, who is in them, and the light that each was taken in.

Memory does not grow with the clip: a shot is cut into chunks, a chunk keeps a bounded number of frames of each face,
and what remains of it is one small `Decomposition`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detection.records.schema import Reason
from relitalk.decompose import Decomposition, LightFit, SurfaceSample, decompose, sample_surface
from relitalk.errors import RelightError
from relitalk.faces import detect, face_centre, face_size, with_cuts
from relitalk.geometry import Geometry, build_geometry
from relitalk.identity import People, embed
from relitalk.measure import Reconstruction, reconstruction
from relitalk.report import FoundLight
from relitalk.video import ClipFrame, ClipReader

Array = NDArray[Any]

MIN_FRAMES = 5
SAMPLE_STEP_S = 0.2
CHUNK_S = 20.0  # a light may drift; after this long it is fitted anew
CROSSFADE_S = 0.6  # between two fits of the same shot
MAX_SAMPLES = 12

_MIN_SKIN_CM2 = 15.0  # a fifth of a face seen from the front; less says nothing about the light
_JUMP_PATTERN = 0.25  # mean |Δ log| over the face between two samples, less the mean: another light
_JUMP_LEVEL = 0.45  # |Δ log| of the whole face: another exposure
_MIN_CHUNK_SAMPLES = 5  # before a light may change again
_FOLLOW = 1.2  # face sizes that a face may move between two samples


@dataclass
class TrackPlan:
    """One face in one shot: where it was, and the fits that hold from given times on."""

    person: int = 0
    times_s: list[float] = field(default_factory=list)
    centres_px: list[Array] = field(default_factory=list)
    sizes_px: list[float] = field(default_factory=list)
    fits: list[tuple[float, Decomposition]] = field(default_factory=list)

    def distance(self, landmarks_px: Array, time_s: float) -> float:
        """How far landmarks lie from where this face was at that time, in face sizes."""
        times = np.array(self.times_s)
        centre = [np.interp(time_s, times, [c[axis] for c in self.centres_px]) for axis in (0, 1)]
        size = float(np.interp(time_s, times, self.sizes_px))
        gap_s = max(0.0, self.times_s[0] - time_s, time_s - self.times_s[-1])
        return float(np.hypot(*(face_centre(landmarks_px) - centre))) / max(size, 1.0) + 0.2 * gap_s

    def decomposition_at(self, time_s: float) -> Decomposition:
        """The fit that holds, faded into the next one where two of a shot meet."""
        current = self.fits[0][1]
        for start_s, following in self.fits[1:]:
            share = float(np.clip((time_s - start_s) / CROSSFADE_S + 0.5, 0, 1))
            if share <= 0:
                break
            current = following if share >= 1 else current.faded(following, share)
        return current


@dataclass
class Shot:
    """A stretch without a cut, from the frame `first_index` on."""

    first_index: int
    tracks: list[TrackPlan] = field(default_factory=list)


@dataclass(frozen=True)
class ClipPlan:
    """What the second pass needs to know. `size_px` is (width, height) upright; `time_s` when a person is seen
    first.
    """

    shots: tuple[Shot, ...]
    frames: int
    size_px: tuple[int, int]
    people: tuple[tuple[int, float], ...]
    reconstruction: Reconstruction | None

    def cuts(self) -> set[int]:
        return {shot.first_index for shot in self.shots}

    def found_lights(self) -> tuple[FoundLight, ...]:
        """The light that each person was taken in, in order of time."""
        tracks = [track for shot in self.shots for track in shot.tracks]
        fits = sorted((start, track.person, found.light) for track in tracks for start, found in track.fits)
        return tuple(
            FoundLight(
                person, round(start, 3), round(light.azimuth_deg, 1), round(light.elevation_deg, 1),
                round(light.ambient, 3), round(light.misfit, 4),
            )
            for start, person, light in fits
        )  # fmt: skip


class _Samples:
    """Frames of one face, spread evenly over its chunk: when full, every other one goes and the step doubles."""

    def __init__(self, start_s: float) -> None:
        self.start_s = start_s
        self.step = 1
        self.seen = 0
        self.kept: list[tuple[Geometry, SurfaceSample]] = []

    def add(self, geometry: Geometry, sample: SurfaceSample) -> None:
        if self.seen % self.step == 0:
            self.kept.append((geometry, sample))
            if len(self.kept) > MAX_SAMPLES:
                self.kept = self.kept[::2]
                self.step *= 2
        self.seen += 1


class _OpenTrack:
    """A face that the current shot still shows."""

    def __init__(self, landmarks_px: Array, time_s: float) -> None:
        self.plan = TrackPlan()
        self.landmarks_px = landmarks_px
        self.largest_px = 0.0
        self.identity: Array | None = None
        self._samples = _Samples(time_s)
        self._recent: deque[SurfaceSample] = deque(maxlen=2)
        self.reconstructions: list[Reconstruction] = []

    def add(self, image: Array, landmarks_px: Array, time_s: float) -> None:
        self.landmarks_px = landmarks_px
        self.plan.times_s.append(time_s)
        self.plan.centres_px.append(face_centre(landmarks_px))
        self.plan.sizes_px.append(face_size(landmarks_px))
        geometry = build_geometry(image, landmarks_px)
        sample = sample_surface(geometry)
        if sample.weights.sum() < _MIN_SKIN_CM2:
            return
        # Both of the last two must differ, and not from each other: a hand or a blurred frame is no light.
        changed = len(self._recent) == 2 and not _another_light(*self._recent)
        changed = changed and all(_another_light(before, sample) for before in self._recent)
        changed = changed and self._samples.seen >= _MIN_CHUNK_SAMPLES
        if changed or time_s - self._samples.start_s > CHUNK_S:
            self.close_chunk()
            self._samples = _Samples(time_s)
            self._recent.clear()
        self._recent.append(sample)
        self._samples.add(geometry, sample)

    def close_chunk(self) -> None:
        """Fits the light and the albedo of what was gathered since the last fit."""
        if not self._samples.kept:
            return
        geometries = [geometry for geometry, _ in self._samples.kept]
        light = LightFit([sample for _, sample in self._samples.kept]).best()
        found = decompose(geometries, light)
        self.plan.fits.append((self._samples.start_s, found))
        self.reconstructions.append(reconstruction(geometries, found))
        self._samples.kept = []


def _another_light(before: SurfaceSample, after: SurfaceSample) -> bool:
    weights = np.minimum(before.weights, after.weights)
    if weights.sum() < _MIN_SKIN_CM2 / 2:
        return False
    change = after.log_luminance - before.log_luminance
    turned = np.clip((before.normals * after.normals).sum(axis=1), -1, 1)
    weights = weights * (turned > 0.97)  # where the head turned, the luminance may change
    total = float(weights.sum())
    if total < _MIN_SKIN_CM2 / 3:
        return False
    level = float(weights @ change) / total
    pattern = float(weights @ np.abs(change - level)) / total
    return abs(level) > _JUMP_LEVEL or pattern > _JUMP_PATTERN


class _Analysis:
    def __init__(self) -> None:
        self.shots: list[Shot] = []
        self.people = People()
        self.reconstructions: list[Reconstruction] = []
        self._open: list[_OpenTrack] = []
        self._next_s = -np.inf

    def frame(self, frame: ClipFrame, cut: bool) -> None:
        if cut or not self.shots:
            self.close_shot()
            self.shots.append(Shot(frame.index))
            self._next_s = -np.inf
        if frame.time_s < self._next_s:
            return
        self._next_s = frame.time_s + SAMPLE_STEP_S - 1e-3
        image = frame.image
        for landmarks in detect(image):
            track = self._track_of(landmarks, frame.time_s)
            track.add(image, landmarks, frame.time_s)
            if face_size(landmarks) > 1.2 * track.largest_px:
                track.largest_px = face_size(landmarks)
                track.identity = embed(image, landmarks)

    def _track_of(self, landmarks_px: Array, time_s: float) -> _OpenTrack:
        free = [t for t in self._open if not t.plan.times_s or t.plan.times_s[-1] < time_s]
        near = [(_apart(landmarks_px, t.landmarks_px), t) for t in free]
        found = min(near, key=lambda entry: entry[0], default=None)
        if found is not None and found[0] < _FOLLOW:
            return found[1]
        track = _OpenTrack(landmarks_px, time_s)
        self._open.append(track)
        return track

    def close_shot(self) -> None:
        tracks, self._open = self._open, []
        for track in sorted(tracks, key=lambda t: -t.largest_px):
            track.close_chunk()
            if not track.plan.fits or track.identity is None:
                continue
            overlapping = {t.person for t in self.shots[-1].tracks if _overlap(t, track.plan)}
            track.plan.person = self.people.recognise(track.identity, track.plan.times_s[0], overlapping)
            self.shots[-1].tracks.append(track.plan)
            self.reconstructions += track.reconstructions


def _apart(one: Array, other: Array) -> float:
    return float(np.hypot(*(face_centre(one) - face_centre(other)))) / max(1.0, min(face_size(one), face_size(other)))


def _overlap(one: TrackPlan, other: TrackPlan) -> bool:
    return one.times_s[0] <= other.times_s[-1] and other.times_s[0] <= one.times_s[-1]


def analyse(path: Path, step: Callable[[int], None]) -> ClipPlan:
    """One pass over the clip. `step` is called with the number of frames read; it may raise to stop.

    Raises RelightError: unreadable, no_video_stream, too_few_frames, no_face.
    """
    work = _Analysis()
    size = (0, 0)
    count = 0
    with ClipReader.open(path) as clip:
        for frame, cut in with_cuts(clip.frames()):
            if count == 0:
                height, width = frame.image.shape[:2]
                size = (width, height)
            work.frame(frame, cut)
            count += 1
            step(count)
    work.close_shot()
    if count < MIN_FRAMES:
        raise RelightError(
            f"{path.name} has only {count} frames; relighting a video takes at least {MIN_FRAMES}.",
            Reason.TOO_FEW_FRAMES,
        )
    if not any(shot.tracks for shot in work.shots):
        raise RelightError(
            f"No face that could be relit was found in {path.name}: it takes a real face of at least 40 pixels, turned "
            "less than half away.",
            Reason.NO_FACE,
        )
    return ClipPlan(
        tuple(work.shots), count, size, work.people.first_seen(), Reconstruction.mean_of(work.reconstructions)
    )
