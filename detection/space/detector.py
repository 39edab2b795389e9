"""Space: traces of a forgery in single frames.

The network marks in every face the region that looks manipulated (detection/traces.py). The evidence of a person is
the mean over the faces; Platt scaling fitted on labelled clips (MODEL_CARD.md) makes a probability of it. A video is as
fake as its most fake person among those seen often enough.
"""

from __future__ import annotations

from detection import judging
from detection.inference import calibration
from detection.inference.session import load
from detection.modules import ModuleContext
from detection.records.schema import Evidence, FrameScore, ModuleOutcome, PersonScore
from detection.space.evidence import write_region
from detection.traces import look, plain_frames, shown, timeline
from detection.vision.types import Observation

KEY = "space"
NETWORK = "space"
CALIBRATION = "space_calibration"


class SpaceDetector:
    """Scores every person of an observation, frame by frame."""

    def __init__(self) -> None:
        self._network = load(NETWORK)
        self._calibration = calibration.load(CALIBRATION)

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
                region, score = traces.maps[each.place], float(scores[each.place])
                evidence.append(write_region(context.run_dir, person.id, each.face, region, score, each.why))
        return judging.outcome(
            KEY, people, self._calibration, (NETWORK, CALIBRATION), timeline=frames, evidence=evidence
        )
