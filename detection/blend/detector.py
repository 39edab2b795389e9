"""Blend: boundaries along which a face was joined to a picture, and the light on it.

The network marks in every face the boundary along which two pictures were blended (a Face X-ray, Li et al., CVPR 2020;
detection/traces.py). The evidence of a person is the mean over the faces; Platt scaling fitted on labelled clips
(MODEL_CARD.md) makes a probability of it. The light is measured and shown beside it, and does not count
(`steadiness.py`).
"""

from __future__ import annotations

from detection import judging
from detection.blend import steadiness
from detection.blend.evidence import write_boundary
from detection.inference import calibration
from detection.inference.session import load
from detection.modules import ModuleContext
from detection.records.schema import Course, Deviation, Evidence, FrameScore, ModuleOutcome, PersonScore
from detection.traces import look, plain_frames, shown, timeline
from detection.vision.types import Observation

KEY = "blend"
NETWORK = "blend"
CALIBRATION = "blend_calibration"


class BlendDetector:
    """Scores every person of an observation by blending boundaries, and measures the light on their faces."""

    def __init__(self) -> None:
        self._network = load(NETWORK)
        self._calibration = calibration.load(CALIBRATION)
        steadiness.genuine_ranges()  # a damaged file is found before an analysis begins

    def analyse(self, observation: Observation, context: ModuleContext) -> ModuleOutcome:
        people: list[PersonScore] = []
        frames: list[FrameScore] = []
        evidence: list[Evidence] = []
        found = look(self._network, observation, context)
        for person in observation.people:
            traces = found[person.id]
            scores = self._calibration.probability(traces.evidence)
            people.append(judging.judge(person.id, traces.logit, len(traces.indices), self._calibration))
            frames += timeline(person, traces, scores)
            faces = shown(person, traces)
            evidence += plain_frames(context.run_dir, person, faces)
            for each in faces:
                boundary, score = traces.maps[each.place], float(scores[each.place])
                evidence.append(write_boundary(context.run_dir, person.id, each.face, boundary, score, each.why))
        deviations, courses = _light(observation, context)
        return judging.outcome(
            KEY,
            people,
            self._calibration,
            (NETWORK, CALIBRATION, steadiness.ASSET),
            timeline=frames,
            evidence=evidence,
            deviations=deviations,
            courses=courses,
        )


def _light(observation: Observation, context: ModuleContext) -> tuple[list[Deviation], list[Course]]:
    lights = {}
    for done, person in enumerate(observation.people, start=1):
        lights[person.id] = steadiness.lights_on(person)
        context.progress(done, len(observation.people))
    deviations = [d for person, seen in lights.items() for d in steadiness.deviations(person, seen)]
    return deviations, [course for person in lights for course in steadiness.courses(person, lights)]
