"""Noise, an example: does the face have as much fine noise as what surrounds it?

Sensor and codec lay the same noise over a whole picture; a face that was painted by a network and put in may have less
of it. In every usable face the noise is estimated inside the face's outline and around it (the mean response
to a mask that cancels what is smooth; Immerkær, "Fast noise variance estimation", 1996). The evidence of a person is
log(around / inside), of the median over the faces; Platt scaling fitted on labelled clips (`calibration.json`, made by
`examples/fit_noise.py`) makes a probability of it.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from detection import judging
from detection.inference import calibration
from detection.modules import ModuleContext
from detection.records.schema import Deviation, ModuleOutcome, PersonScore
from detection.vision.quality import MIN_USABLE_FACES
from detection.vision.types import Array, Face, Observation, Person

KEY = "noise"
FITTED = Path(__file__).with_name("calibration.json")
FEATURE = "noise_inside_against_around"

CANCELS_SMOOTH = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
BORDER_PX = 12  # of the crop, left out on both sides of the outline: a seam is not noise


@dataclass(frozen=True)
class Ratios:
    """Noise inside over noise around, face by face."""

    times_s: tuple[float, ...]
    values: tuple[float, ...]

    @property
    def median(self) -> float:
        return float(np.median(self.values))


class NoiseDetector:
    """Scores every person of an observation by the noise of the face."""

    def __init__(self) -> None:
        fitted = json.loads(FITTED.read_text(encoding="utf-8"))
        self._calibration = calibration.parse(json.dumps(fitted["calibration"]))
        self._genuine_low, self._genuine_high = fitted["genuine_range"]

    def analyse(self, observation: Observation, context: ModuleContext) -> ModuleOutcome:
        people: list[PersonScore] = []
        deviations: list[Deviation] = []
        for done, person in enumerate(observation.people):
            context.progress(done, len(observation.people))
            ratios = noise_of(person)
            logit = evidence(ratios) if ratios else None
            frames = len(ratios.values) if ratios else 0
            people.append(judging.judge(person.id, logit, frames, self._calibration))
            if ratios:
                deviations.append(self._deviation(person.id, ratios))
        context.progress(len(observation.people), len(observation.people))
        made = judging.outcome(KEY, people, self._calibration, (), deviations=deviations)
        return replace(made, versions={"noise": self._calibration.date})

    def _deviation(self, person: int, ratios: Ratios) -> Deviation:
        """The measure against genuine faces, with its course over time: what the result page draws."""
        return Deviation(
            FEATURE, person, ratios.median, self._genuine_low, self._genuine_high, "×", ratios.times_s, ratios.values
        )


def noise_of(person: Person) -> Ratios | None:
    """None where too few faces can be judged."""
    found = {face.time_s: ratio for face in person.faces if face.quality.usable and (ratio := ratio_of(face))}
    return Ratios(tuple(found), tuple(found.values())) if len(found) >= MIN_USABLE_FACES else None


def evidence(ratios: Ratios) -> float:
    """The larger, the smoother the face is against its surroundings."""
    return -math.log(ratios.median)


def ratio_of(face: Face) -> float | None:
    """Noise inside the face's outline over noise around it; None where one of them cannot be measured."""
    grey = cv2.cvtColor(face.crop, cv2.COLOR_RGB2GRAY).astype(np.float32)
    response = np.abs(cv2.filter2D(grey, -1, CANCELS_SMOOTH))
    points = face.landmarks_px[:, :2] @ face.crop_from_frame[:, :2].T + face.crop_from_frame[:, 2]
    outline = np.zeros(grey.shape, np.uint8)
    cv2.fillConvexPoly(outline, cv2.convexHull(points.astype(np.int32)), 1)
    square = np.ones((2 * BORDER_PX + 1, 2 * BORDER_PX + 1), np.uint8)
    inside, around = (_mean(response, mask) for mask in (cv2.erode(outline, square), 1 - cv2.dilate(outline, square)))
    return inside / around if inside and around else None


def _mean(response: Array, mask: Array) -> float:
    """0 where the mask is empty."""
    chosen = response[mask > 0]
    return float(chosen.mean()) if chosen.size else 0.0
