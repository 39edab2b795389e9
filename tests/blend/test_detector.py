"""Blend on its real network: a score per person, a boundary picture per key frame, the light beside it."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from detection.modules import ModuleContext, load_detector
from detection.vision.observe import observe
from detection.vision.video import probe
from detection.web.light import course_charts
from tests import clips


@pytest.fixture(scope="module")
def observation(tmp_path_factory):
    path = clips.write_astronaut(tmp_path_factory.mktemp("clip") / "face.mp4", frames=75)
    return observe(path, probe(path), lambda *_: None)


def test_a_person_gets_a_score_boundary_pictures_and_the_course_of_the_light(observation, tmp_path):
    outcome = load_detector("blend").analyse(observation, ModuleContext(tmp_path, lambda *_: None))
    (person,) = outcome.people
    assert outcome.score == person.score
    assert 0 <= outcome.score <= 1
    assert len(outcome.timeline) == person.frames
    assert [e.kind for e in outcome.evidence] == ["boundary"] * len(observation.people[0].key_frames)
    assert all(cv2.imread(str(tmp_path / e.path)).shape == (256, 256, 3) for e in outcome.evidence)
    assert {"light azimuth", "light elevation"} <= {c.name for c in outcome.courses}
    assert all(d.genuine_low < d.genuine_high for d in outcome.deviations)


def test_a_seam_scores_higher_than_none(observation, tmp_path):
    (person,) = observation.people

    def forged(face):
        crop = face.crop.copy()
        inner = cv2.GaussianBlur(crop, (0, 0), 2)[80:210, 70:186].astype(float) * 1.15 + 6
        crop[80:210, 70:186] = np.clip(inner, 0, 255)
        return replace(face, crop=crop)

    fake = replace(observation, people=(replace(person, faces=tuple(map(forged, person.faces))),))
    context = ModuleContext(tmp_path, lambda *_: None)
    detector = load_detector("blend")
    assert detector.analyse(fake, context).score > detector.analyse(observation, context).score


def test_its_progress_counts_frames_and_never_goes_back(observation, tmp_path):
    (person,) = observation.people
    two = replace(observation, people=(person, replace(person, id=2)))
    steps = []
    load_detector("blend").analyse(two, ModuleContext(tmp_path, lambda *step: steps.append(step)))
    shares = [done / total for done, total in steps]
    assert shares == sorted(shares)
    assert len({total for _, total in steps[-3:]}) == 1
    assert steps[-1][0] == steps[-1][1] > 2


def test_too_few_faces_give_no_score(observation, tmp_path):
    (person,) = observation.people
    short = replace(observation, people=(replace(person, faces=person.faces[:2], key_frames=()),))
    outcome = load_detector("blend").analyse(short, ModuleContext(tmp_path, lambda *_: None))
    assert (outcome.score, outcome.verdict, outcome.people[0].reason) == (None, "no_result", "too_few_frames")
    assert outcome.courses == ()


def test_the_light_is_drawn_on_a_fixed_scale(observation, tmp_path):
    outcome = load_detector("blend").analyse(observation, ModuleContext(tmp_path, lambda *_: None))

    analysis = SimpleNamespace(modules={"blend": outcome})
    azimuth = next(c for c in course_charts(analysis) if c.course.name == "light azimuth")
    assert azimuth.zero_y == 50
    heights = [float(point.split(",")[1]) for point in azimuth.points.split()]
    expected = [50 - value / 3.6 for value in azimuth.course.values]
    assert heights == pytest.approx(expected, abs=0.02)
