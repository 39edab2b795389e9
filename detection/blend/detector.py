"""Blend: boundaries along which a face was joined to a picture, and the light on it.

The network marks in every face the boundary along which two pictures were blended (a Face X-ray, Li et al., CVPR 2020;
detection/traces.py). The evidence of a person is the mean over the faces; Platt scaling fitted on labelled clips
(MODEL_CARD.md) makes a probability of it. The light is measured and shown beside it, and does not count
(`steadiness.py`).
"""

from __future__ import annotations

import cv2

from detection.blend import steadiness
from detection.inference import calibration
from detection.inference.session import load
from detection.judging import outcome
from detection.modules import ModuleContext
from detection.records.schema import Course, Deviation, ModuleOutcome
from detection.traces import Drawing, examine
from detection.vision.types import Observation

KEY = "blend"
NETWORK = "blend"
CALIBRATION = "blend_calibration"
BOUNDARY = Drawing("blend", "boundary", cv2.COLORMAP_VIRIDIS)


class BlendDetector:
    """Scores every person of an observation by blending boundaries, and measures the light on their faces."""

    def __init__(self) -> None:
        self._network = load(NETWORK)
        self._calibration = calibration.load(CALIBRATION)
        steadiness.genuine_ranges()  # a damaged file is found before an analysis begins

    def analyse(self, observation: Observation, context: ModuleContext) -> ModuleOutcome:
        found = examine(self._network, self._calibration, BOUNDARY, observation, context)
        deviations, courses = _light(observation, context)
        return outcome(
            KEY,
            found.people,
            self._calibration,
            (NETWORK, CALIBRATION, steadiness.ASSET),
            timeline=found.timeline,
            evidence=found.evidence,
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
