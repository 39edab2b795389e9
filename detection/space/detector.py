"""Space: traces of a forgery in single frames.

The network marks in every face the region that looks manipulated (detection/traces.py). The evidence of a person is
the mean over the faces; Platt scaling fitted on labelled clips (MODEL_CARD.md) makes a probability of it. A video is as
fake as its most fake person among those seen often enough. Of the face that showed most on that person the page also
shows where the network looked (occlusion.py).
"""

from __future__ import annotations

import cv2

from detection.fusion import most_suspicious
from detection.inference import calibration
from detection.inference.session import load
from detection.judging import outcome
from detection.modules import ModuleContext
from detection.records.schema import Evidence, ModuleOutcome
from detection.space.occlusion import sensitivity
from detection.traces import Drawing, Examined, examine
from detection.vision.types import Array, Observation

KEY = "space"
NETWORK = "space"
CALIBRATION = "space_calibration"
REGION = Drawing("mri", "mri", cv2.COLORMAP_INFERNO)
ATTENTION = Drawing("attention", "attention", cv2.COLORMAP_MAGMA)


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
            evidence=(*found.evidence, *self._attention(found, context)),
        )

    def _attention(self, found: Examined, context: ModuleContext) -> list[Evidence]:
        """Where the network looked in the most suspicious face of the person who decides."""
        person = most_suspicious(found.people)
        if person is None:
            return []
        shown, score = found.worst[person.id]
        return [ATTENTION.write(context.run_dir, person.id, shown, sensitivity(self._scores, shown.face.crop), score)]

    def _scores(self, crops: Array) -> Array:
        """The calibrated scores (N,) of crops (N, S, S, 3)."""
        return self._calibration.probability(self._network.run_batched(crops)[0])
