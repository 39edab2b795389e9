"""A small detector that measures something: the brighter a face, the surer it calls it forged."""

from __future__ import annotations

import numpy as np

from detection.inference.calibration import Calibration
from detection.modules import ModuleContext
from detection.records.schema import ModuleOutcome, PersonScore, Reason, Thresholds
from detection.vision.types import Observation

CALIBRATION = Calibration(slope=0.2, intercept=-27.0, thresholds=Thresholds(0.3, 0.7))


class BrightnessDetector:
    analysed = 0  # videos, so that a test sees what the cache spared

    def analyse(self, observation: Observation, context: ModuleContext) -> ModuleOutcome:
        BrightnessDetector.analysed += 1
        people = []
        for person in observation.people:
            level = float(np.mean([face.crop.mean() for face in person.faces]))
            score = CALIBRATION.probability(level)
            verdict = CALIBRATION.thresholds.verdict(score)
            people.append(PersonScore(person.id, score, verdict, len(person.faces)))
        score = max((p.score for p in people if p.score is not None), default=None)
        reason = Reason.TOO_FEW_FRAMES if score is None else None
        thresholds = CALIBRATION.thresholds
        return ModuleOutcome("bright", score, thresholds.verdict(score), reason, thresholds, tuple(people))
