"""Feature: a face over time.

Every person's usable faces are measured (`measures`), the measures weighed (`model`) and the logit calibrated by Platt
scaling fitted on labelled clips (MODEL_CARD.md). Each measure is reported against the range of genuine faces. A video
is as fake as its most fake person among those seen often enough.
"""

from __future__ import annotations

import math
from collections.abc import Sequence as Items
from dataclasses import replace

from detection import judging
from detection.feature import model
from detection.feature.measure import Measure
from detection.feature.measures import measure_all
from detection.feature.sequence import sequence_of
from detection.inference import calibration
from detection.modules import ModuleContext
from detection.records.schema import Deviation, ModuleOutcome, PersonScore
from detection.vision.types import Observation, Person

KEY = "feature"
CALIBRATION = "feature_calibration"
MAX_POINTS = 120  # of a chart; records stay small


class FeatureDetector:
    """Scores every person of an observation by how the face behaves over time."""

    def __init__(self) -> None:
        self._model = model.load()
        self._calibration = calibration.load(CALIBRATION)

    def analyse(self, observation: Observation, context: ModuleContext) -> ModuleOutcome:
        total = sum(len(person.faces) for person in observation.people)
        people: list[PersonScore] = []
        deviations: list[Deviation] = []
        done = 0
        context.progress(done, total)
        for person in observation.people:
            judged, measures = self._judge(person)
            people.append(judged)
            deviations += self._deviations(person.id, measures)
            done += len(person.faces)
            context.progress(done, total)
        return judging.outcome(KEY, people, self._calibration, (model.ASSET, CALIBRATION), deviations=deviations)

    def _judge(self, person: Person) -> tuple[PersonScore, Items[Measure]]:
        sequence = sequence_of(person)
        if sequence is None:
            usable = sum(face.quality.usable for face in person.faces)
            return judging.judge(person.id, None, usable, self._calibration), ()
        measures, faces = measure_all(sequence), len(sequence.crops)
        return judging.judge(person.id, self._model.evidence(measures, faces), faces, self._calibration), measures

    def _deviations(self, person: int, measures: Items[Measure]) -> list[Deviation]:
        """Every measure against genuine faces, those that speak most for a forgery first."""
        found = []
        for measure in measures:
            term = self._model.terms.get(measure.name)
            if term is None or not math.isfinite(measure.value):
                continue
            shown = _thinned(measure)
            deviation = Deviation(
                measure.name,
                person,
                measure.value,
                term.genuine_low,
                term.genuine_high,
                measure.unit,
                shown.times_s,
                shown.series,
            )
            found.append((term.contribution(measure.value), deviation))
        return [deviation for _, deviation in sorted(found, key=lambda pair: -pair[0])]


def _thinned(measure: Measure) -> Measure:
    stride = -(-len(measure.series) // MAX_POINTS) or 1
    return replace(measure, times_s=measure.times_s[::stride], series=measure.series[::stride])
