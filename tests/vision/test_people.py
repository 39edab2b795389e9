from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import pytest

from detection.vision import people
from detection.vision.faces import find_faces
from detection.vision.people import Gallery, _Group, _Track, join
from detection.vision.types import Frame, Image
from tests.vision import clips

STEP_S = 0.1


def show(gallery: Gallery, samples: range, image: Image, tracks: list[int]) -> None:
    """Adds `image` as the sampled frames `samples`; its faces, from left to right, belong to `tracks`."""
    faces = sorted(find_faces(image), key=lambda f: f.box.x)
    for sample in samples:
        frame = Frame(3 * sample, sample * STEP_S, image)
        gallery.add(sample, frame, list(zip(tracks, faces, strict=True)))


def one() -> Image:
    return next(clips.moving_face(1))


def two() -> Image:
    return np.ascontiguousarray(np.hstack([one(), one()[:, ::-1]]))


def test_a_track_becomes_a_person() -> None:
    gallery = Gallery()
    show(gallery, range(30), one(), [7])
    (person,) = gallery.people(STEP_S)
    assert person.id == 1
    assert len(person.faces) == 30
    assert [(s.start_s, s.end_s) for s in person.spans] == [(0.0, pytest.approx(2.9))]
    assert [f.frame_index for f in person.faces] == list(range(0, 90, 3))
    for key_frame in person.key_frames:
        face = person.faces[key_frame.face]
        scene_box = np.array([face.box.x, face.box.y]) * key_frame.scale
        assert (scene_box < key_frame.scene.shape[1::-1]).all()


def test_the_same_face_after_a_cut_is_the_same_person() -> None:
    gallery = Gallery()
    show(gallery, range(20), one(), [0])
    show(gallery, range(40, 60), np.ascontiguousarray(clips.astronaut()[:300, :400]), [1])
    (person,) = gallery.people(STEP_S)
    assert len(person.faces) == 40
    assert len(person.spans) == 2
    assert person.spans[0].end_s < 2.0 < 4.0 <= person.spans[1].start_s


def test_two_faces_in_one_frame_are_two_people_however_alike() -> None:
    gallery = Gallery()
    show(gallery, range(20), two(), [0, 1])
    assert len(gallery.people(STEP_S)) == 2


def test_people_are_numbered_by_time_and_size() -> None:
    gallery = Gallery()
    both = two()
    both[:, 320:] = 90
    both[60:180, 400:560] = one()[::2, ::2]
    show(gallery, range(12), np.ascontiguousarray(both), [0, 1])
    large, small = gallery.people(STEP_S)
    assert (large.id, small.id) == (1, 2)
    assert large.faces[0].quality.size_px > 1.5 * small.faces[0].quality.size_px


def test_a_face_seen_only_twice_is_no_person() -> None:
    gallery = Gallery()
    show(gallery, range(2), one(), [0])
    assert gallery.people(STEP_S) == ()


def test_more_faces_than_fit_are_thinned_evenly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "MAX_FACES", 50)
    gallery = Gallery()
    show(gallery, range(64), two(), [0, 1])
    found = gallery.people(STEP_S)
    assert sum(len(p.faces) for p in found) <= 50
    for person in found:
        steps = [b.time_s - a.time_s for a, b in pairwise(person.faces)]
        assert max(steps) == pytest.approx(min(steps))
        assert len(person.spans) == 1
        assert person.key_frames
        assert all(0 <= k.face < len(person.faces) for k in person.key_frames)
        assert any(f.embedding is not None for f in person.faces)


def test_key_frames_outlast_all_thinning(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight people in a video that is longer than its file says are more faces than thinning makes room for."""
    monkeypatch.setattr(people, "MAX_FACES", 10)
    gallery = Gallery()
    sharp, soft = two(), np.ascontiguousarray(cv2.GaussianBlur(two(), (0, 0), 2))
    for sample in range(48):  # the faces that a stride of eight would keep show worst
        show(gallery, range(sample, sample + 1), soft if sample % 8 == 0 else sharp, [0, 1])
    for person in gallery.people(STEP_S):
        assert [person.faces[k.face].frame_index // 3 % 8 for k in person.key_frames] == [4] * 6


def test_a_few_faces_spread_over_time_have_an_embedding() -> None:
    gallery = Gallery()
    show(gallery, range(150), one(), [0])
    (person,) = gallery.people(STEP_S)
    embedded = [f for f in person.faces if f.embedding is not None]
    assert len(embedded) == people.MAX_EMBEDDED
    assert max(b.time_s - a.time_s for a, b in pairwise(embedded)) < 3
    assert embedded[-1].time_s - embedded[0].time_s > 13
    assert all(abs(np.linalg.norm(f.embedding) - 1) < 1e-4 for f in embedded)


def test_many_tracks_have_fewer_embeddings_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "MAX_EMBEDDED_IN_ALL", 4)
    gallery = Gallery()
    show(gallery, range(60), two(), [0, 1])
    for person in gallery.people(STEP_S):
        assert sum(f.embedding is not None for f in person.faces) == people.FEW_EMBEDDED


def group(number: int, direction: list[float], seen: set[int]) -> _Group:
    return _Group([_Track(number, seen=seen)], np.array(direction))


def test_tracks_join_only_when_alike_and_never_in_one_frame() -> None:
    alike = [group(0, [1, 0.1, 0], {0, 1}), group(1, [1, 0, 0.2], {5, 6})]
    assert len(join(alike)) == 1
    other = [group(0, [1, 0.1, 0], {0, 1}), group(1, [0.2, 1, 0], {5, 6})]
    assert len(join(other)) == 2
    together = [group(0, [1, 0, 0], {0, 1}), group(1, [1, 0, 0], {1, 2})]
    assert len(join(together)) == 2


def test_the_surest_pair_joins_first() -> None:
    """The middle track is like both others, which were seen together; it goes to the one it is more like."""
    left, right = group(0, [1, 0, 0], {0}), group(1, [0.6, 0.8, 0], {0})
    middle = group(2, [0.97, 0.24, 0], {1})
    joined = join([left, right, middle])
    assert sorted(sorted(t.number for t in g.tracks) for g in joined) == [[0, 2], [1]]


def test_tracks_without_an_embedding_join_nobody() -> None:
    assert len(join([group(0, [0, 0, 0], {0}), group(1, [0, 0, 0], {1})])) == 2
