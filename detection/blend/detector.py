"""Blend: boundaries along which a face was joined to a picture, and the light on it.

The network marks in every face the boundary along which two pictures were blended (a Face X-ray, Li et al., CVPR 2020;
detection/traces.py). The evidence of a person is the mean over the faces; Platt scaling fitted on labelled clips
(MODEL_CARD.md) makes a probability of it. The light is measured and shown beside it, and does not count
(`steadiness.py`).
"""

from __future__ import annotations

from collections.abc import Callable

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
        frames = len(found.timeline)
        deviations, courses = _light(observation, lambda: context.progress(frames, frames))
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


def _light(observation: Observation, go_on: Callable[[], None]) -> tuple[list[Deviation], list[Course]]:
    """The light on each person and between people; `go_on` is called after each and may raise to stop."""
    lights = {}
    for person in observation.people:
        lights[person.id] = steadiness.lights_on(person)
        go_on()
    deviations = [d for person, seen in lights.items() for d in steadiness.deviations(person, seen)]
    return deviations, [course for person in lights for course in steadiness.courses(person, lights)]
