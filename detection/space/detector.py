"""Space: traces of a forgery in single frames.

The network marks in every face the region that looks manipulated (detection/traces.py). The evidence of a person is
the mean over the faces; Platt scaling fitted on labelled clips (MODEL_CARD.md) makes a probability of it. A video is as
fake as its most fake person among those seen often enough.
"""

from __future__ import annotations

import cv2

from detection.inference import calibration
from detection.inference.session import load
from detection.judging import outcome
from detection.modules import ModuleContext
from detection.records.schema import ModuleOutcome
from detection.traces import Drawing, examine
from detection.vision.types import Observation

KEY = "space"
NETWORK = "space"
CALIBRATION = "space_calibration"
REGION = Drawing("mri", "mri", cv2.COLORMAP_INFERNO)


class SpaceDetector:
    """Scores every person of an observation, frame by frame."""

    def __init__(self) -> None:
        self._network = load(NETWORK)
        self._calibration = calibration.load(CALIBRATION)

    def analyse(self, observation: Observation, context: ModuleContext) -> ModuleOutcome:
        found = examine(self._network, self._calibration, REGION, observation, context)
        return outcome(
            KEY,
            found.people,
            self._calibration,
            (NETWORK, CALIBRATION),
            timeline=found.timeline,
            evidence=found.evidence,
        )
