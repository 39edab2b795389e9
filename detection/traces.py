"""The look at single faces that Space and Blend have in common, each with a network of its own.

A network (detection/training/network.py) marks in every face a map: Space's the region that looks manipulated, Blend's
the boundary along which two pictures were joined. Its evidence is the logarithm of the share of what it sees that is
marked. A person is looked at in the key frames first; where those leave the verdict open, in more faces, spread evenly
over time, until it is clear or about `MAX_FACES` have been seen.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from detection.inference.calibration import Calibration
from detection.inference.session import Session
from detection.judging import judge
from detection.modules import ModuleContext
from detection.records.schema import Evidence, FrameScore, PersonScore
from detection.vision.keyframes import Why
from detection.vision.pictures import overlay, picture_name, write_picture, write_plain_frame
from detection.vision.quality import MIN_USABLE_FACES
from detection.vision.types import Array, Face, Observation, Person

MAX_FACES = 24  # of a person: more moved no score on the development clips
# The look at a person ends after a round whose mean evidence ± so many standard errors lies within one verdict's band.
# On the development clips this takes 13.6 faces a person for Space and 10.9 for Blend instead of 28.7, and all verdicts
# stay as they were. Deviation and mean of fewer faces are too uncertain to stop by.
CLEAR_ERRORS, CLEAR_FACES = 2.0, 6
MAP_PX = 32


@dataclass(frozen=True)
class Traces:
    """What a network saw of one person: `indices` (N) of Person.faces, `evidence` (N,), `maps` (N, 32, 32), 0 to 1."""

    indices: tuple[int, ...]
    evidence: Array
    maps: Array

    @property
    def logit(self) -> float | None:
        """The person's evidence; None where too few faces were seen."""
        return float(self.evidence.mean()) if len(self.indices) >= MIN_USABLE_FACES else None

    @property
    def worst(self) -> int | None:
        """The place of the face in which most was found; None where none was seen."""
        return int(np.argmax(self.evidence)) if self.indices else None


def look(
    network: Session, observation: Observation, context: ModuleContext, until_clear: Calibration | None = None
) -> dict[int, Traces]:
    """The traces that `network` finds, by person, batch by batch with progress.

    `until_clear` ends the look at a person whose verdict more faces would hardly change; without it all chosen faces
    are looked at.
    """
    planned = {person.id: rounds_of_faces(person) for person in observation.people}
    total, done = sum(len(faces) for rounds in planned.values() for faces in rounds), 0
    context.progress(done, total)
    found = {}
    for person in observation.people:
        seen: dict[int, tuple[Array, Array]] = {}  # by index of the face: its evidence and its map
        for faces in planned[person.id]:
            for start in range(0, len(faces), network.batch):
                batch = faces[start : start + network.batch]
                marked, maps = network.run(np.stack([person.faces[index].crop for index in batch]))
                seen |= {index: (marked[place], maps[place]) for place, index in enumerate(batch)}
                context.progress(done + len(seen), total)
            if until_clear is not None and _is_clear(np.array([marked for marked, _ in seen.values()]), until_clear):
                break
        total -= sum(map(len, planned[person.id])) - len(seen)
        done += len(seen)
        found[person.id] = _traces(seen)
    context.progress(done, total)
    return found


def _traces(seen: dict[int, tuple[Array, Array]]) -> Traces:
    indices = tuple(sorted(seen))
    evidence = np.array([seen[index][0] for index in indices], np.float32)
    maps = np.array([seen[index][1] for index in indices], np.float32).reshape(-1, MAP_PX, MAP_PX)
    return Traces(indices, evidence, maps)


def _is_clear(evidence: Array, calibration: Calibration) -> bool:
    """Whether the mean of `evidence` (N,) is so sure that one verdict holds within its error."""
    if len(evidence) < CLEAR_FACES:
        return False
    mean, error = float(evidence.mean()), CLEAR_ERRORS * float(evidence.std(ddof=1)) / len(evidence) ** 0.5
    low, high = (
        calibration.thresholds.verdict(calibration.probability(logit)) for logit in (mean - error, mean + error)
    )
    return low == high


def rounds_of_faces(person: Person) -> list[list[int]]:
    """Indices of the faces to look at, in three rounds: usable key frames, then the others in two halves, interleaved.

    Each round is spread over the whole time, so that one that ends early has seen all of it.
    """
    chosen = choose_faces(person)
    key_frames = {key_frame.face for key_frame in person.key_frames}
    others = [index for index in chosen if index not in key_frames]
    return [[index for index in chosen if index in key_frames], others[::2], others[1::2]]


def choose_faces(person: Person) -> list[int]:
    """Indices of the faces to look at: the usable key frames, then usable faces spread evenly over time."""
    usable = [index for index, face in enumerate(person.faces) if face.quality.usable]
    if len(usable) <= MAX_FACES:
        return usable
    spread = np.unique(np.linspace(0, len(usable) - 1, MAX_FACES).round().astype(int))
    even = {usable[position] for position in spread}
    return sorted(even | {k.face for k in person.key_frames if person.faces[k.face].quality.usable})


def timeline(person: Person, traces: Traces, scores: Array) -> list[FrameScore]:
    """The frames' scores (N,) of one person in the form of a record."""
    faces = (person.faces[index] for index in traces.indices)
    return [
        FrameScore(person.id, face.frame_index, face.time_s, float(score))
        for face, score in zip(faces, scores, strict=True)
    ]


@dataclass(frozen=True)
class Shown:
    """A face that a module shows: its `place` in the traces, and `why` it is shown although it may be no key frame."""

    place: int
    face: Face
    why: tuple[Why, ...]
    is_key_frame: bool


def shown(person: Person, traces: Traces) -> list[Shown]:
    """The key frames among the faces that were looked at, and the one in which most was found."""
    wanted, worst = {key_frame.face for key_frame in person.key_frames}, traces.worst
    return [
        Shown(place, person.faces[index], (Why.MOST_SUSPICIOUS,) if place == worst else (), index in wanted)
        for place, index in enumerate(traces.indices)
        if index in wanted or place == worst
    ]


def plain_frames(run_dir: Path, person: Person, faces: Iterable[Shown]) -> list[Evidence]:
    """Plain pictures of those that are no key frames; the pipeline writes the others."""
    return [write_plain_frame(run_dir, person.id, each.face, each.why) for each in faces if not each.is_key_frame]


@dataclass(frozen=True)
class Drawing:
    """How a module shows its map: below which folder of the run, as which kind of evidence, in OpenCV's `colours`."""

    folder: str
    kind: str
    colours: int

    def write(self, run_dir: Path, person: int, shown: Shown, heat: Array, score: float) -> Evidence:
        """Draws `heat` (R, R), 0 to 1, over one face; `score` is the face's calibrated probability."""
        face = shown.face
        path = f"{self.folder}/{picture_name(person, face.frame_index)}"
        write_picture(run_dir / path, overlay(face.crop, heat, self.colours))
        return Evidence(self.kind, path, person, face.frame_index, face.time_s, score, shown.why)


@dataclass(frozen=True)
class Examined:
    """What a network's look at all people comes to. `worst`: by person, the face that showed most, and its score."""

    people: tuple[PersonScore, ...]
    timeline: tuple[FrameScore, ...]
    evidence: tuple[Evidence, ...]
    worst: dict[int, tuple[Shown, float]]


def examine(
    network: Session, calibration: Calibration, drawing: Drawing, observation: Observation, context: ModuleContext
) -> Examined:
    """Scores every person by what `network` marks, frame by frame, and draws the key frames' maps."""
    people: list[PersonScore] = []
    frames: list[FrameScore] = []
    evidence: list[Evidence] = []
    worst: dict[int, tuple[Shown, float]] = {}
    found = look(network, observation, context, until_clear=calibration)
    for person in observation.people:
        traces = found[person.id]
        scores = calibration.probability(traces.evidence)
        people.append(judge(person.id, traces.logit, len(traces.indices), calibration))
        frames += timeline(person, traces, scores)
        faces = shown(person, traces)
        evidence += plain_frames(context.run_dir, person, faces)
        for each in faces:
            heat, score = traces.maps[each.place], float(scores[each.place])
            evidence.append(drawing.write(context.run_dir, person.id, each, heat, score))
            if each.place == traces.worst:
                worst[person.id] = each, score
    return Examined(tuple(people), tuple(frames), tuple(evidence), worst)
