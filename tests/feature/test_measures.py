from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from detection.feature.eyes import eye_aspect_ratio, measure_eyes
from detection.feature.identity import measure_identity
from detection.feature.measure import Measure
from detection.feature.measures import measure_all
from detection.feature.motion import measure_motion, without_pose
from detection.feature.regions import RIGID, align, canonical_vertices
from detection.feature.sequence import Sequence, from_faces, sequence_of
from tests.feature.faces import RATE_HZ, moving_faces, person_of


@pytest.fixture(scope="module")
def steady() -> Sequence:
    return from_faces(moving_faces(40))


@pytest.fixture(scope="module")
def boiling() -> Sequence:
    return from_faces(moving_faces(40, boil=6.0))


def named(measures: list[Measure], name: str) -> Measure:
    return next(m for m in measures if m.name == name)


def test_too_few_faces_give_no_sequence():
    assert sequence_of(person_of(moving_faces(12))) is None


def test_faces_far_apart_in_time_give_no_sequence():
    slow = [replace(face, time_s=face.time_s * 10) for face in moving_faces(24)]
    assert sequence_of(person_of(slow)) is None


def test_faces_turned_away_are_left_out():
    faces = moving_faces(46)
    turned = [replace(face, quality=replace(face.quality, yaw_deg=-50.0)) for face in faces[:23]]
    sequence = sequence_of(person_of([*turned, *faces[23:]]))
    assert sequence is not None
    assert list(sequence.times_s) == [face.time_s for face in faces[23:]]
    assert sequence_of(person_of(turned)) is None


def test_a_gap_ends_a_run_of_neighbours():
    faces = moving_faces(24)
    late = [replace(face, time_s=face.time_s + (3.0 if number >= 10 else 0.0)) for number, face in enumerate(faces)]
    pairs = from_faces(late).pairs
    assert not pairs[9]
    assert pairs.sum() == len(pairs) - 1


def test_aligned_faces_lie_on_one_another(steady):
    aligned = align(steady)
    inside = aligned.regions["inside"]
    pictures = aligned.grey.reshape(len(aligned.grey), -1)[:, inside]
    moved = np.stack([crop[::2, ::2].mean(-1) for crop in steady.crops]).reshape(len(pictures), -1)[:, inside]
    assert pictures.std(axis=0).mean() < 0.4 * moved.std(axis=0).mean()


def test_regions_do_not_overlap_where_they_must_not(steady):
    regions = align(steady).regions
    assert not set(regions["inside"]) & set(regions["border"])
    assert not set(regions["border"]) & set(regions["outside"])
    assert not set(regions["skin"]) & (set(regions["mouth"]) | set(regions["eyes"]))
    assert all(len(pixels) > 100 for pixels in regions.values())


def test_a_rigid_head_leaves_nothing_when_its_pose_is_removed(steady):
    angle = np.radians(np.linspace(-20, 20, len(steady.crops)))
    turns = np.stack([[[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]] for a in angle])
    heads = canonical_vertices() @ turns.transpose(0, 2, 1) * 9.0 + (200, 150, 0)
    assert np.abs(without_pose(replace(steady, landmarks_px=heads))).max() < 1e-9


def test_trembling_landmarks_raise_the_tremble(steady):
    trembling = from_faces(moving_faces(40, tremble_px=0.8))
    rng = np.random.default_rng(1)
    smooth = steady.landmarks_px.copy()
    smooth[:, :, 0] += 2 * np.sin(steady.times_s * 2)[:, None] * rng.normal(0, 1, 468)
    calm = measure_motion(replace(steady, landmarks_px=smooth))
    assert named(measure_motion(trembling), "nose tremble").value > 2 * named(calm, "nose tremble").value


def test_boiling_texture_does_not_grow_with_time_and_steady_texture_does(steady, boiling):
    calm, boiled = measure_all(steady), measure_all(boiling)
    assert named(boiled, "skin brightness flicker").value > named(calm, "skin brightness flicker").value
    assert named(boiled, "skin flicker growth").value < named(calm, "skin flicker growth").value
    assert named(boiled, "skin flicker growth").value == pytest.approx(1.0, abs=0.1)


def test_a_softened_mouth_lowers_its_detail_against_the_eyes(steady):
    import cv2

    crops = steady.crops.copy()
    for crop, points in zip(crops, steady.landmarks_crop, strict=True):
        x, y = points[[13, 14]].mean(axis=0).astype(int)
        crop[y - 30 : y + 30, x - 45 : x + 45] = cv2.GaussianBlur(crop[y - 30 : y + 30, x - 45 : x + 45], (0, 0), 3)
    soft = named(measure_all(replace(steady, crops=crops)), "mouth detail against eyes").value
    assert soft < 0.75 * named(measure_all(steady), "mouth detail against eyes").value


def test_every_measure_has_a_finite_course_as_long_as_its_times(steady):
    for measure in measure_all(steady):
        assert len(measure.times_s) == len(measure.series)
        assert all(np.isfinite(measure.series))
        assert set(measure.times_s) <= {round(float(t), 3) for t in steady.times_s}


def with_blinks(sequence: Sequence, count: int) -> Sequence:
    points = sequence.landmarks_px.copy()
    seconds = len(points) / RATE_HZ
    for blink in range(count):
        at = round((blink + 0.5) / count * seconds * RATE_HZ)
        for upper, lower in ((160, 144), (158, 153), (387, 373), (385, 380)):
            points[at : at + 2, upper] = points[at : at + 2, lower]
    return replace(sequence, landmarks_px=points)


def test_blinks_are_counted():
    sequence = from_faces(moving_faces(100))
    rate = named(measure_eyes(with_blinks(sequence, 4)), "blink rate").value
    assert rate == pytest.approx(4 / (99 / RATE_HZ) * 60)
    assert named(measure_eyes(sequence), "blink rate").value == 0.0
    assert eye_aspect_ratio(with_blinks(sequence, 1), (33, 133, 160, 158, 144, 153)).min() < 0.05


def test_a_short_clip_has_no_blink_rate(steady):
    assert np.isnan(named(measure_eyes(steady), "blink rate").value)


def test_identity_drift_is_the_distance_from_the_mean(steady):
    rng = np.random.default_rng(0)
    one = rng.normal(0, 1, 128)
    same = np.stack([one / np.linalg.norm(one)] * 5)
    others = rng.normal(0, 1, (5, 128))
    others /= np.linalg.norm(others, axis=1, keepdims=True)
    (still,) = measure_identity(replace(steady, embeddings=same, embedded=np.arange(5)))
    (changing,) = measure_identity(replace(steady, embeddings=others, embedded=np.arange(5)))
    assert still.value == pytest.approx(0.0, abs=1e-9)
    assert changing.value > 0.3


def test_rigid_points_are_on_the_canonical_face():
    assert canonical_vertices().shape == (468, 3)
    assert max(RIGID) < 468
