"""Space: traces of a forgery in single frames.

One network (detection/training/network.py) marks in every face the region that looks manipulated. The evidence of a
face is the logarithm of the share of the crop that is marked; of a person the mean over up to `MAX_FACES` usable faces,
spread evenly over time; Platt scaling fitted on labelled clips (MODEL_CARD.md) makes a probability of it. A video is as
fake as its most fake person among those seen often enough.
"""

from __future__ import annotations

import numpy as np

from detection.fusion import video_score
from detection.inference import calibration
from detection.inference.session import load
from detection.inference.weights import asset
from detection.modules import ModuleContext
from detection.records.schema import Evidence, FrameScore, ModuleOutcome, PersonScore, Reason
from detection.space.evidence import write_region
from detection.vision.quality import MIN_USABLE_FACES
from detection.vision.types import Array, Face, Observation, Person

NETWORK = "space"
CALIBRATION = "space_calibration"
MAX_FACES = 24  # of a person: more moved no score on the development clips
BATCH = 16  # no slower than more on a CPU, and half the memory of 32


class SpaceDetector:
    """Scores every person of an observation, frame by frame."""

    def __init__(self) -> None:
        self._network = load(NETWORK)
        self._calibration = calibration.load(CALIBRATION)

    def analyse(self, observation: Observation, context: ModuleContext) -> ModuleOutcome:
        chosen = {person.id: choose_faces(person) for person in observation.people}
        total = sum(map(len, chosen.values()))
        people: list[PersonScore] = []
        timeline: list[FrameScore] = []
        evidence: list[Evidence] = []
        done = 0
        for person in observation.people:
            indices = chosen[person.id]
            faces = [person.faces[index] for index in indices]
            marked, regions = self._look(faces, context, done, total)
            done += len(faces)
            scores = self._calibration.probability(marked)
            people.append(self._judge(person.id, marked))
            for face, score in zip(faces, scores, strict=True):
                timeline.append(FrameScore(person.id, face.frame_index, face.time_s, float(score)))
            shown = {key_frame.face for key_frame in person.key_frames}
            for index, face, region, score in zip(indices, faces, regions, scores, strict=True):
                if index in shown:
                    evidence.append(write_region(context.run_dir, person.id, face, region, float(score)))
        score = video_score((p.score, p.frames) for p in people)
        thresholds = self._calibration.thresholds
        return ModuleOutcome(
            NETWORK,
            score,
            thresholds.verdict(score),
            None if score is not None else Reason.TOO_FEW_FRAMES,
            thresholds,
            tuple(people),
            tuple(timeline),
            tuple(evidence),
            versions={name: asset(name).sha256[:12] for name in (NETWORK, CALIBRATION)},
        )

    def _look(self, faces: list[Face], context: ModuleContext, done: int, total: int) -> tuple[Array, Array]:
        """Evidence (N,) and regions (N, 32, 32) of the faces, batch by batch with progress."""
        context.progress(done, total)
        marked, regions = [np.zeros(0, np.float32)], [np.zeros((0, 32, 32), np.float32)]
        for start in range(0, len(faces), BATCH):
            batch = np.stack([face.crop for face in faces[start : start + BATCH]])
            evidence, region = self._network.run(batch)
            marked.append(evidence)
            regions.append(region)
            context.progress(done + start + len(batch), total)
        return np.concatenate(marked), np.concatenate(regions)

    def _judge(self, person: int, marked: Array) -> PersonScore:
        if len(marked) < MIN_USABLE_FACES:
            return PersonScore(person, None, "no_result", len(marked), Reason.TOO_FEW_FRAMES)
        score = self._calibration.probability(float(marked.mean()))
        return PersonScore(person, score, self._calibration.thresholds.verdict(score), len(marked))


def choose_faces(person: Person) -> list[int]:
    """Indices of the faces to look at: the usable key frames, then usable faces spread evenly over time."""
    usable = [index for index, face in enumerate(person.faces) if face.quality.usable]
    if len(usable) <= MAX_FACES:
        return usable
    spread = np.unique(np.linspace(0, len(usable) - 1, MAX_FACES).round().astype(int))
    even = {usable[position] for position in spread}
    return sorted(even | {k.face for k in person.key_frames if person.faces[k.face].quality.usable})
