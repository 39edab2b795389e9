from __future__ import annotations

from dataclasses import replace

import pytest

from detection.feature import model
from detection.feature.detector import MAX_POINTS, FeatureDetector
from detection.modules import MODULES, ModuleContext, load_detector
from detection.records.schema import Reason
from tests.feature.faces import moving_faces, observation_of, person_of


@pytest.fixture(scope="module")
def detector() -> FeatureDetector:
    return FeatureDetector()


@pytest.fixture
def context(tmp_path):
    return ModuleContext(tmp_path, lambda done, total: None)


def test_it_is_registered():
    assert MODULES["feature"].detector is not None
    assert isinstance(load_detector("feature"), FeatureDetector)


def test_a_person_gets_a_probability_and_every_measure_a_range(detector, context):
    outcome = detector.analyse(observation_of(person_of(moving_faces(40))), context)
    assert outcome.score is not None
    assert 0 < outcome.score < 1
    assert outcome.reason is None
    assert outcome.verdict == outcome.thresholds.verdict(outcome.score)
    assert outcome.people[0].frames == 40
    names = {d.feature for d in outcome.deviations}
    assert names <= set(model.load().terms)
    assert {n for n, t in model.load().terms.items() if t.weight} <= names


def test_boiling_raises_the_score(detector, context):
    calm = detector.analyse(observation_of(person_of(moving_faces(40))), context)
    boiled = detector.analyse(observation_of(person_of(moving_faces(40, boil=6.0, tremble_px=0.5))), context)
    assert boiled.score > calm.score


def test_what_speaks_most_for_a_forgery_comes_first(detector, context):
    outcome = detector.analyse(observation_of(person_of(moving_faces(40, boil=6.0))), context)
    said = [model.load().terms[d.feature].contribution(d.value) for d in outcome.deviations]
    assert said == sorted(said, reverse=True)


def test_a_short_appearance_has_no_score(detector, context):
    outcome = detector.analyse(observation_of(person_of(moving_faces(10))), context)
    assert (outcome.score, outcome.reason) == (None, Reason.TOO_FEW_FRAMES)
    assert (outcome.people[0].score, outcome.people[0].reason) == (None, Reason.TOO_FEW_FRAMES)
    assert outcome.deviations == ()


def test_each_person_is_judged_apart(detector, context):
    faces = moving_faces(40)
    outcome = detector.analyse(observation_of(person_of(faces), person_of(faces[:10], 2)), context)
    assert [p.score is None for p in outcome.people] == [False, True]
    assert outcome.score == outcome.people[0].score


def test_faces_that_cannot_be_judged_are_not_measured(detector, context):
    faces = [replace(f, quality=replace(f.quality, reasons=("blurred",))) for f in moving_faces(40)]
    assert detector.analyse(observation_of(person_of(faces)), context).score is None


def test_charts_stay_small(detector, context):
    outcome = detector.analyse(observation_of(person_of(moving_faces(150))), context)
    assert all(len(d.series) <= MAX_POINTS for d in outcome.deviations)


def test_cancelling_stops_it(detector, tmp_path):
    def cancel(done: int, total: int) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        detector.analyse(observation_of(person_of(moving_faces(40))), ModuleContext(tmp_path, cancel))
