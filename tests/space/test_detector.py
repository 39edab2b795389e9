"""Space on real network weights: a score per person, a picture per key frame, nothing invented where faces are few."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain

import cv2
import numpy as np
import pytest

from detection.inference.calibration import Calibration
from detection.modules import ModuleContext, load_detector
from detection.records.schema import Thresholds
from detection.traces import CLEAR_FACES, MAX_FACES, choose_faces, look, rounds_of_faces
from detection.vision.observe import observe
from detection.vision.pictures import overlay
from detection.vision.video import probe
from tests import clips

COLOURS = cv2.COLORMAP_INFERNO


@pytest.fixture(scope="module")
def observation(tmp_path_factory):
    path = clips.write_astronaut(tmp_path_factory.mktemp("clip") / "face.mp4", frames=75)
    return observe(path, probe(path), lambda *_: None)


def test_every_judged_frame_has_a_probability_and_every_key_frame_a_picture(observation, tmp_path):
    steps = []
    outcome = load_detector("space").analyse(observation, ModuleContext(tmp_path, lambda *p: steps.append(p)))
    (person,) = outcome.people
    assert 0 <= outcome.score <= 1
    assert outcome.score == person.score
    assert person.frames == len(outcome.timeline) <= MAX_FACES + len(observation.people[0].key_frames)
    assert all(0 <= frame.score <= 1 for frame in outcome.timeline)
    assert outcome.thresholds.verdict(outcome.score) == outcome.verdict
    key_frames = {observation.people[0].faces[k.face].frame_index for k in observation.people[0].key_frames}
    worst = max(outcome.timeline, key=lambda frame: frame.score).frame_index
    regions = {e.frame_index: e for e in outcome.evidence if e.kind == "mri"}
    assert set(regions) == key_frames | {worst}
    assert [index for index, e in regions.items() if "most_suspicious" in e.reasons] == [worst]
    assert {e.frame_index for e in outcome.evidence if e.kind == "plain_frame"} == {worst} - key_frames
    (attention,) = (e for e in outcome.evidence if e.kind == "attention")
    assert (attention.frame_index, attention.score) == (worst, pytest.approx(regions[worst].score, abs=1e-4))
    for evidence in outcome.evidence:
        assert cv2.imread(str(tmp_path / evidence.path)).shape == (256, 256, 3)
    assert steps[-1] == (person.frames, person.frames)


def test_a_pasted_face_scores_higher_than_the_face_it_was_pasted_on(observation, tmp_path):
    """The crudest of forgeries: the middle of the face blurred and brightened."""
    (person,) = observation.people

    def forged(face):
        crop = face.crop.copy()
        crop[90:200, 80:176] = np.clip(cv2.GaussianBlur(crop, (0, 0), 3)[90:200, 80:176] * 1.2, 0, 255)
        return replace(face, crop=crop)

    fake = replace(observation, people=(replace(person, faces=tuple(map(forged, person.faces))),))
    context = ModuleContext(tmp_path, lambda *_: None)
    detector = load_detector("space")
    assert detector.analyse(fake, context).score > detector.analyse(observation, context).score


def test_too_few_faces_give_no_score(observation, tmp_path):
    (person,) = observation.people
    short = replace(observation, people=(replace(person, faces=person.faces[:2], key_frames=()),))
    outcome = load_detector("space").analyse(short, ModuleContext(tmp_path, lambda *_: None))
    assert outcome.score is None
    assert outcome.verdict == "no_result"
    assert outcome.people[0].reason == outcome.reason == "too_few_frames"
    assert "attention" not in {e.kind for e in outcome.evidence}


def test_what_progress_raises_ends_the_analysis(observation, tmp_path):
    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load_detector("space").analyse(observation, ModuleContext(tmp_path, stop))


def test_faces_are_chosen_over_the_whole_time_and_key_frames_among_them(observation):
    (person,) = observation.people
    chosen = choose_faces(person)
    assert chosen == sorted(set(chosen))
    assert {k.face for k in person.key_frames if person.faces[k.face].quality.usable} <= set(chosen)


class _Network:
    """Marks a crop by its first pixel, and remembers how many crops it was given."""

    batch = 16

    def __init__(self):
        self.crops = 0

    def run(self, crops):
        self.crops += len(crops)
        return crops[:, 0, 0, 0] / 100.0, np.zeros((len(crops), 32, 32), np.float32)


@pytest.mark.parametrize(("marks", "rounds"), [((0, 0), 2), ((60, 180), 3)])
def test_the_look_at_a_person_ends_when_more_faces_would_not_change_the_verdict(observation, tmp_path, marks, rounds):
    (person,) = observation.people
    faces = tuple(
        replace(face, crop=np.full_like(face.crop, marks[index % 2])) for index, face in enumerate(person.faces)
    )
    marked = replace(observation, people=(replace(person, faces=faces),))
    planned = rounds_of_faces(person)
    assert len(planned[0]) < CLEAR_FACES  # so few faces are never enough
    assert sorted(chain(*planned)) == choose_faces(person)
    calibration = Calibration(1.0, -1.2, Thresholds(real_below=0.5, fake_from=0.5))
    network, steps = _Network(), []
    (traces,) = look(network, marked, ModuleContext(tmp_path, lambda *p: steps.append(p)), calibration).values()
    assert list(traces.indices) == sorted(chain(*planned[:rounds]))
    assert network.crops == len(traces.indices)
    assert steps[-1] == (network.crops, network.crops)


def test_the_same_region_value_has_the_same_colour_in_every_picture():
    crop = np.full((256, 256, 3), 128, np.uint8)
    heat = np.pad(np.full((32, 16), 0.2), ((0, 0), (0, 16)), constant_values=0.9)
    weak, strong, mixed = (overlay(crop, h, COLOURS) for h in (np.full((32, 32), 0.2), np.full((32, 32), 0.9), heat))
    assert np.abs(mixed[128, 20].astype(int) - weak[128, 20]).max() <= 1
    assert np.abs(mixed[128, 236].astype(int) - strong[128, 236]).max() <= 1
    assert np.array_equal(overlay(crop, np.zeros((32, 32)), COLOURS), crop)
