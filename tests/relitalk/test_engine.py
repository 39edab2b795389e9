from __future__ import annotations

import av
import cv2
import numpy as np
import pytest

from relitalk.engine import Options, relight
from relitalk.errors import Cancelled, RelightError
from relitalk.faces import FaceFollower, detect, face_centre, smooth, with_cuts
from relitalk.light import PRESETS, Light
from relitalk.still import prepare_still, relight_still
from relitalk.video import ClipReader


def images(path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def sides(image, landmarks) -> tuple[float, float]:
    """Mean brightness of the face's left and right third, as the viewer sees them."""
    low, high = landmarks[:, :2].min(axis=0).astype(int), landmarks[:, :2].max(axis=0).astype(int)
    third = (high[0] - low[0]) // 3
    face = image[low[1] : high[1]].astype(float)
    return face[:, low[0] : low[0] + third].mean(), face[:, high[0] - third : high[0]].mean()


def test_a_clip_is_relit_from_the_side_that_was_asked_for(clip, tmp_path):
    seen = []
    report = relight(clip, Light(60, 10), tmp_path / "out.mp4", progress=seen.append)
    assert (report.frames, report.frames_relit, report.frames_without_face) == (24, 24, 0)
    assert [person.number for person in report.people] == [1]
    assert report.measures.direction_error_deg < 15
    assert report.measures.reconstruction_psnr_db > 20
    assert 0.3 < report.measures.identity_similarity <= 1
    assert {progress.stage for progress in seen} == {"analyse", "render"}
    assert seen[-1].done == seen[-1].total == 24
    landmarks = detect(images(clip)[12])[0]
    left, right = sides(images(clip)[12], landmarks)
    relit_left, relit_right = sides(images(tmp_path / "out.mp4")[12], landmarks)
    assert relit_right / relit_left > 1.4 * right / left


def test_relighting_adds_no_flicker(clip, tmp_path):
    measures = relight(clip, PRESETS["normalised"], tmp_path / "out.mp4").measures
    assert measures.flicker_relit < 1.2 * measures.flicker_source + 0.005
    assert measures.direction_error_deg is None  # a soft light has none


def test_frames_without_a_face_are_kept_and_counted(swaying, make_clip, tmp_path):
    empty = np.full_like(swaying[0], (40, 90, 60))
    source = make_clip([*swaying[:12], *[empty] * 8])
    report = relight(source, Light(-60, 10), tmp_path / "out.mp4")
    assert report.frames == 20
    assert report.frames_without_face == 8
    assert report.shots == 2
    assert np.abs(images(source)[-1].astype(int) - images(tmp_path / "out.mp4")[-1]).mean() < 2


def test_of_two_people_one_can_be_chosen(portrait, make_clip, tmp_path):
    pair = np.hstack([portrait, cv2.flip(portrait, 1)])
    source = make_clip([np.roll(pair, i % 3, axis=1) for i in range(12)])
    both = relight(source, PRESETS["split"], tmp_path / "both.mp4")
    assert len(both.people) == 2
    relight(source, PRESETS["split"], tmp_path / "one.mp4", options=Options(person=2))
    before, after = images(source)[6].astype(int), images(tmp_path / "one.mp4")[6]
    changed = np.abs(before - after).mean(axis=(0, 2))
    halves = changed[:320].mean(), changed[320:].mean()
    assert max(halves) > 3 * min(halves)
    with pytest.raises(RelightError, match="no person 7"):
        relight(source, PRESETS["split"], tmp_path / "none.mp4", options=Options(person=7))


def test_frames_are_written_as_png_when_asked_for(clip, tmp_path):
    relight(clip, Light(60, 10), tmp_path / "out.mp4", options=Options(frames_dir=tmp_path / "frames"))
    frames = sorted((tmp_path / "frames").glob("*.png"))
    assert len(frames) == 24
    difference = np.abs(cv2.imread(str(frames[5]))[:, :, ::-1].astype(int) - images(tmp_path / "out.mp4")[5])
    assert difference.mean() < 4


def test_a_cancel_leaves_nothing(clip, tmp_path):
    (tmp_path / "out").mkdir()
    done = []
    with pytest.raises(Cancelled):
        relight(
            clip, Light(60, 10), tmp_path / "out" / "relit.mp4", progress=done.append,
            cancelled=lambda: len(done) > 34,
        )  # fmt: skip
    assert done[-1].stage == "render"
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(("count", "reason"), [(2, "too_few_frames"), (10, "no_face")])
def test_clips_that_cannot_be_relit_get_their_reason(portrait, make_clip, tmp_path, count, reason):
    frame = portrait if count == 2 else np.full_like(portrait, 120)
    with pytest.raises(RelightError) as caught:
        relight(make_clip([frame] * count), Light(), tmp_path / "out.mp4")
    assert caught.value.reason == reason
    assert not (tmp_path / "out.mp4").exists()


def test_a_still_is_relit(portrait):
    landmarks = detect(portrait)[0]
    still = prepare_still(portrait)
    left, right = (sides(still.relight(PRESETS[name]), landmarks) for name in ("left", "right"))
    assert left[0] / left[1] > 1.5 * right[0] / right[1]
    assert np.array_equal(still.relight(PRESETS["left"]), relight_still(portrait, PRESETS["left"]))
    with pytest.raises(RelightError, match="No face"):
        prepare_still(np.zeros((200, 200, 3), np.uint8))


def test_a_light_fixed_to_the_head_turns_with_it(portrait):
    turned = cv2.warpAffine(portrait, cv2.getRotationMatrix2D((160, 160), 30, 1), (320, 320))
    scene = prepare_still(turned).relight(Light(80, 0, softness=1)).astype(float)
    head = prepare_still(turned).relight(Light(80, 0, softness=1, fixed_to="head")).astype(float)
    middle = detect(turned)[0]
    x, y = face_centre(middle).astype(int)
    difference = cv2.GaussianBlur((head - scene).mean(axis=2), (0, 0), 8)
    # In the turned head's frame, its right is up and right in the picture.
    assert difference[y - 35, x] > difference[y + 35, x] + 3


def test_a_cut_is_seen_and_a_flash_is_none(swaying, make_clip):
    other = [255 - image[::-1] for image in swaying[:8]]
    bright = np.clip(swaying[4].astype(int) * 1.25, 0, 255).astype(np.uint8)
    source = make_clip([*swaying[:4], bright, *swaying[5:10], *other])
    with ClipReader.open(source) as clip:
        assert [frame.index for frame, cut in with_cuts(clip.frames()) if cut] == [10]


def test_following_keeps_a_faces_number(swaying):
    follower = FaceFollower(detect_every=10)
    numbers = [set(follower.step(image)) for image in swaying]
    assert all(found == {0} for found in numbers)
    assert set(follower.step(swaying[0], cut=True)) == {1}


def test_smoothing_follows_a_steady_motion_and_calms_noise():
    rng = np.random.default_rng(1)
    times = [0.04 * i for i in range(7)]
    path = np.zeros((468, 3)) + 100
    line = [path + 50 * t for t in times]
    assert np.allclose(smooth(times, line, times[-1]), line[-1])  # even at the end of a track
    noisy = [points + rng.normal(0, 1, points.shape) for points in line]
    assert np.std(smooth(times, noisy, times[3]) - line[3]) < 0.7
