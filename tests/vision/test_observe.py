from __future__ import annotations

import struct
import threading
from pathlib import Path

import numpy as np
import pytest

from detection.records.schema import Reason
from detection.vision.faces import crop_face
from detection.vision.observe import observe
from detection.vision.types import CROP_SIZE_PX, Observation
from detection.vision.video import VideoError, probe
from tests.vision import clips


def look(path: Path, progress: list[tuple[int, int]] | None = None) -> Observation:
    seen = progress if progress is not None else []
    return observe(path, probe(path), lambda done, total: seen.append((done, total)))


def test_a_person_is_observed_through_a_clip(tmp_path: Path) -> None:
    steps: list[tuple[int, int]] = []
    observation = look(clips.write_clip(tmp_path / "clip.mp4", clips.moving_face(75, (480, 360))), steps)
    (person,) = observation.people
    assert observation.frames_analysed == len(person.faces) == 38
    assert observation.frames_decoded >= 38
    assert [done for done, _ in steps] == list(range(1, 39))
    assert {total for _, total in steps} == {38}
    assert all(face.quality.usable for face in person.faces)
    assert all(face.crop.shape == (CROP_SIZE_PX, CROP_SIZE_PX, 3) for face in person.faces)
    times = [face.time_s for face in person.faces]
    assert times == pytest.approx(np.arange(38) * 0.08, abs=0.002)
    assert 3 <= len(person.key_frames) <= 8


def test_crop_and_key_frame_show_the_same_face(tmp_path: Path) -> None:
    (person,) = look(clips.write_clip(tmp_path / "clip.mp4", clips.moving_face(40, (480, 360)))).people
    for key_frame in person.key_frames:
        face = person.faces[key_frame.face]
        assert key_frame.scale == 1.0
        again, matrix = crop_face(key_frame.scene, face.box)
        np.testing.assert_array_equal(again, face.crop)
        np.testing.assert_array_equal(matrix, face.crop_from_frame)


def test_a_person_is_found_again_after_a_cut(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    wall = np.repeat(np.repeat(rng.integers(0, 255, (6, 8, 3), dtype=np.uint8), 40, 0), 40, 1)
    frames = [*clips.moving_face(30), *[wall] * 26, *clips.moving_face(30, zoom=1.5)]
    (person,) = look(clips.write_clip(tmp_path / "clip.mp4", frames)).people
    assert len(person.spans) == 2
    assert person.spans[0].end_s == pytest.approx(1.12, abs=0.1)
    assert person.spans[1].start_s == pytest.approx(2.24, abs=0.1)


def test_a_video_without_faces_has_no_people(tmp_path: Path) -> None:
    observation = look(clips.write_clip(tmp_path / "clip.mp4", clips.numbered(30, (160, 120))))
    assert observation.people == ()
    assert observation.frames_analysed == 15


def test_a_file_that_claims_to_be_longer_than_it_is(tmp_path: Path) -> None:
    """Or the part of it behind two seconds would be looked at nowhere."""
    path = clips.write_clip(tmp_path / "clip.mkv", clips.numbered(300), rate=10)
    data = bytearray(path.read_bytes())
    declared = data.index(b"\x44\x89\x88") + 3  # Duration, a float of eight bytes, in milliseconds
    data[declared : declared + 8] = struct.pack(">d", 3_600_000.0)
    path.write_bytes(data)
    assert probe(path).duration_s == pytest.approx(3600)
    observation = look(path)
    assert observation.frames_analysed == 300
    assert observation.video.duration_s == pytest.approx(30)


def test_of_a_long_file_that_was_cut_off_what_is_there_is_looked_at(tmp_path: Path) -> None:
    path = clips.write_clip(
        tmp_path / "clip.mp4", clips.numbered(1200), rate=10, gop=20, container_options={"movflags": "faststart"}
    )
    data = path.read_bytes()
    pictures = data.index(b"mdat")
    path.write_bytes(data[: pictures + (len(data) - pictures) // 4])
    assert probe(path).duration_s == pytest.approx(120)
    observation = look(path)
    assert observation.frames_analysed > 200
    assert observation.video.duration_s == pytest.approx(30, abs=5)


def test_a_picture_of_one_pixel(tmp_path: Path) -> None:
    pixel = np.full((1, 1, 3), 200, np.uint8)
    observation = look(clips.write_clip(tmp_path / "dot.gif", [pixel] * 5, codec="gif", pixels="rgb8", rate=10))
    assert observation.people == ()


def test_stopping_it_closes_the_file_and_ends_the_thread(tmp_path: Path) -> None:
    class Cancelled(Exception):
        pass

    def progress(done: int, total: int) -> None:
        if done == 5:
            raise Cancelled

    path = clips.write_clip(tmp_path / "clip.mp4", clips.moving_face(75))
    with pytest.raises(Cancelled):
        observe(path, probe(path), progress)
    assert not [t for t in threading.enumerate() if t.name == "ahead"]


def test_a_file_that_vanished_meanwhile_is_unreadable(tmp_path: Path) -> None:
    path = clips.write_clip(tmp_path / "clip.mp4", clips.numbered(10))
    video = probe(path)
    path.unlink()
    with pytest.raises(VideoError) as caught:
        observe(path, video, lambda done, total: None)
    assert caught.value.reason is Reason.UNREADABLE
