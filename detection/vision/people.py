"""Whose faces they are: tracks gathered while the video is read, joined into people at its end.

A track is one face followed without a cut. Tracks are joined where their embeddings leave no doubt; two faces in one
frame are never one person. Memory is bounded: of more than MAX_FACES faces every second one is dropped, for all people
alike, so that those that are left stay a regular step apart. Every KEY_FRAME_STRIDEth stays, for key frames are among
those.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from detection.records.schema import Span
from detection.vision.faces import FoundFace, crop_face
from detection.vision.identity import align_face, embed_aligned
from detection.vision.keyframes import KEY_FRAME_STRIDE, KeyFramePicker
from detection.vision.quality import measure
from detection.vision.types import Array, Face, Frame, Image, KeyFrame, Person

MAX_FACES = 600
MAX_PEOPLE = 8
MAX_TRACKS = 100  # the most prominent ones; the others count as passers-by
MIN_FACES = 3  # of a track: what is found in fewer frames is mostly no face

# Cosine of two tracks' mean embeddings from which they are one person. Measured: the same person in another shot .68,
# different people up to .39, for which OpenCV's own limit on single pictures is .36.
SAME_PERSON = 0.5

# Recognising a face costs several times what following it does, so few are: of every track some, spread over time.
CANDIDATE_EVERY = 12  # sampled frames: about once a second
CANDIDATE_FIRST = 3  # … and the first ones of a track, so that a short one has more than one
MAX_EMBEDDED = 8  # of a track
FEW_EMBEDDED = 3  # … where there are so many tracks that all of them together would exceed
MAX_EMBEDDED_IN_ALL = 48


@dataclass
class _Track:
    number: int
    faces: dict[int, Face] = field(default_factory=dict)  # by the number of the sampled frame
    seen: set[int] = field(default_factory=set)  # sampled frames, those whose faces were dropped included
    aligned: dict[int, Image] = field(default_factory=dict)  # faces for recognition, by sampled frame
    prominence: float = 0.0  # the sum of the face's size over the sampled frames


@dataclass
class _Group:
    """The tracks of one person."""

    tracks: list[_Track]
    vector: Array  # the sum of all embeddings; zero where there is none

    @property
    def prominence(self) -> float:
        return sum(t.prominence for t in self.tracks)

    @property
    def seen(self) -> set[int]:
        return set().union(*(t.seen for t in self.tracks))


class Gallery:
    """Collects the faces of a video frame by frame and says at the end who was seen."""

    def __init__(self) -> None:
        self._tracks: dict[int, _Track] = {}
        self._picker = KeyFramePicker()
        self._stride = 1  # faces are kept of every `_stride`th sampled frame
        self._count = 0

    def add(self, sample: int, frame: Frame, found: Sequence[tuple[int, FoundFace]]) -> None:
        """The faces found in the sampled frame number `sample`, each with the number of its track."""
        kept: list[tuple[_Track, Face]] = []
        for number, face in found:
            track = self._tracks.setdefault(number, _Track(number))
            track.seen.add(sample)
            track.prominence += max(face.box.width, face.box.height)
            if sample % self._stride == 0:
                kept.append((track, _measured(frame, face)))
        for track, measured in kept:
            track.faces[sample] = measured
            if _is_candidate(sample, track, measured):
                track.aligned[sample] = align_face(frame.image, measured.points_px)
            self._picker.offer(track.number, sample, measured.quality, frame.image)
        self._count += len(kept)
        if self._count > MAX_FACES and self._stride < KEY_FRAME_STRIDE:
            self._thin()

    def people(self, step_s: float) -> tuple[Person, ...]:
        """The people, the most prominent first (time on screen × size). `step_s`: between two sampled frames."""
        lasting = [t for t in self._tracks.values() if len(t.seen) >= MIN_FACES and self._picker.key_frames([t.number])]
        lasting.sort(key=lambda t: -t.prominence)
        lasting = lasting[:MAX_TRACKS]
        groups = join([_Group([t], v) for t, v in zip(lasting, _embed(lasting), strict=True)])
        groups.sort(key=lambda g: -g.prominence)
        return tuple(self._person(i, g, step_s) for i, g in enumerate(groups[:MAX_PEOPLE], start=1))

    def _thin(self) -> None:
        self._stride *= 2
        for track in self._tracks.values():
            track.faces = {sample: face for sample, face in track.faces.items() if sample % self._stride == 0}
        self._count = sum(len(track.faces) for track in self._tracks.values())

    def _person(self, number: int, group: _Group, step_s: float) -> Person:
        samples = sorted({sample: face for t in group.tracks for sample, face in t.faces.items()}.items())
        place = {sample: i for i, (sample, _) in enumerate(samples)}
        chosen = self._picker.key_frames([t.number for t in group.tracks])
        return Person(
            id=number,
            faces=tuple(face for _, face in samples),
            spans=_spans([face.time_s for _, face in samples], step_s * self._stride),
            key_frames=tuple(KeyFrame(place[c.sample], c.scene.image, c.scene.scale) for c in chosen),
        )


def join(groups: list[_Group]) -> list[_Group]:
    """Joins the two most alike again and again, as long as they are surely one person and never in one frame."""
    groups = list(groups)
    while len(groups) > 1:
        vectors = np.stack([g.vector / max(float(np.linalg.norm(g.vector)), 1e-6) for g in groups])
        likeness = np.triu(vectors @ vectors.T, k=1)
        for flat in np.argsort(likeness, axis=None)[::-1]:
            a, b = divmod(int(flat), len(groups))
            if likeness[a, b] < SAME_PERSON:
                return groups
            if groups[a].seen.isdisjoint(groups[b].seen):
                other = groups.pop(b)
                groups[a] = _Group(groups[a].tracks + other.tracks, groups[a].vector + other.vector)
                break
        else:
            return groups
    return groups


def _is_candidate(sample: int, track: _Track, face: Face) -> bool:
    """Whether to keep the face for recognition. Those survive thinning, as key frames do."""
    is_due = sample % CANDIDATE_EVERY == 0 or len(track.aligned) < CANDIDATE_FIRST
    return is_due and sample % KEY_FRAME_STRIDE == 0 and face.quality.usable


def _embed(tracks: list[_Track]) -> list[Array]:
    """Gives some faces of each track their embedding; returns the sum of each track's, zero where there is none."""
    limit = min(MAX_EMBEDDED, max(FEW_EMBEDDED, MAX_EMBEDDED_IN_ALL // max(1, len(tracks))))
    chosen: list[tuple[_Track, int]] = []
    for track in tracks:
        samples = [sample for sample in track.aligned if sample in track.faces]
        places = np.unique(np.linspace(0, len(samples) - 1, min(limit, len(samples))).round().astype(int))
        chosen += [(track, samples[place]) for place in places]
    vectors = embed_aligned([track.aligned[sample] for track, sample in chosen])
    sums = {track.number: np.zeros(128, np.float32) for track in tracks}
    for (track, sample), vector in zip(chosen, vectors, strict=True):
        track.faces[sample] = replace(track.faces[sample], embedding=vector)
        sums[track.number] = sums[track.number] + vector
    return [sums[track.number] for track in tracks]


def _measured(frame: Frame, face: FoundFace) -> Face:
    crop, matrix = crop_face(frame.image, face.box)
    height, width = frame.image.shape[:2]
    quality = measure(face.landmarks_px, max(face.box.width, face.box.height), crop, (width, height))
    return Face(
        frame_index=frame.index,
        time_s=frame.time_s,
        box=face.box,
        confidence=face.confidence,
        points_px=face.points_px,
        landmarks_px=face.landmarks_px,
        crop=crop,
        crop_from_frame=matrix,
        quality=quality,
    )


def _spans(times_s: Sequence[float], step_s: float) -> tuple[Span, ...]:
    """Stretches without a gap of more than one and a half steps."""
    spans: list[Span] = []
    for time_s in times_s:
        if spans and time_s - spans[-1].end_s <= 1.5 * step_s:
            spans[-1] = Span(spans[-1].start_s, time_s)
        else:
            spans.append(Span(time_s, time_s))
    return tuple(spans)
