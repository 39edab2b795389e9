from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio
from skimage.transform import resize

from detection.vision.preview import plays_everywhere, write_poster, write_preview
from detection.vision.video import VideoError, probe
from tests.web import samples


def picture(path: Path, index: int = 0) -> np.ndarray:
    """A frame as it is stored, without regard to a display matrix."""
    with av.open(str(path)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number == index:
                return frame.to_ndarray(format="rgb24")
    raise AssertionError(f"{path} has no frame {index}")


def likeness(one: np.ndarray, other: np.ndarray) -> float:
    """PSNR in dB after scaling to the same size."""
    return peak_signal_noise_ratio(one, resize(other, one.shape, preserve_range=True).astype(np.uint8))


@pytest.mark.parametrize(("name", "codec"), [("a.avi", "mpeg4"), ("a.mkv", "libx265"), ("a.mpg", "mpeg1video")])
def test_a_copy_is_h264_of_the_same_pictures(tmp_path: Path, name: str, codec: str) -> None:
    rate = 25 if codec == "mpeg1video" else 12
    source = samples.face_clip(tmp_path / name, codec=codec, rate=rate)
    write_preview(source, tmp_path / "copy.mp4")
    copy, original = probe(tmp_path / "copy.mp4"), probe(source)
    assert (copy.codec, copy.width, copy.height) == ("h264", 480, 270)
    assert copy.duration_s == pytest.approx(original.duration_s, abs=0.1)
    assert plays_everywhere(copy, tmp_path / "copy.mp4")
    assert likeness(picture(source, 10), picture(tmp_path / "copy.mp4", 10)) > 28


def test_the_index_comes_first_so_that_playing_begins_at_once(tmp_path: Path) -> None:
    write_preview(samples.face_clip(tmp_path / "a.avi", codec="mpeg4"), tmp_path / "copy.mp4")
    content = (tmp_path / "copy.mp4").read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")


def test_sound_comes_along(tmp_path: Path) -> None:
    write_preview(samples.face_clip(tmp_path / "a.mkv", codec="libx265", sound=True), tmp_path / "copy.mp4")
    with av.open(str(tmp_path / "copy.mp4")) as container:
        (audio,) = container.streams.audio
        assert audio.codec_context.name == "aac"
        assert float(audio.duration * audio.time_base) == pytest.approx(2.0, abs=0.1)


@pytest.mark.parametrize(
    ("size", "expected"), [((1920, 1080), (1280, 720)), ((1080, 1920), (720, 1280)), ((482, 268), (482, 268))]
)
def test_it_is_made_smaller_and_never_larger(tmp_path: Path, size: tuple[int, int], expected: tuple[int, int]) -> None:
    source = samples.face_clip(tmp_path / "a.mkv", seconds=0.3, codec="libx264", size=size)
    write_preview(source, tmp_path / "copy.mp4")
    copy = probe(tmp_path / "copy.mp4")
    assert (copy.width, copy.height) == expected


def test_a_phones_clip_stands_upright(tmp_path: Path) -> None:
    source = samples.face_clip(tmp_path / "phone.mp4", turned=True)
    upright = np.rot90(picture(source), -1)  # the display matrix says: 90 degrees clockwise
    write_preview(source, tmp_path / "copy.mp4")
    write_poster(source, tmp_path / "poster.jpg")
    assert likeness(upright, picture(tmp_path / "copy.mp4")) > 28
    assert likeness(upright, picture(tmp_path / "poster.jpg")) > 25


def test_a_cut_off_file_gives_what_is_left_of_it(tmp_path: Path) -> None:
    source = samples.face_clip(tmp_path / "a.mkv", seconds=4, codec="mpeg4")
    whole = source.read_bytes()
    source.write_bytes(whole[: len(whole) // 2])
    write_preview(source, tmp_path / "copy.mp4")
    assert 1 < probe(tmp_path / "copy.mp4").duration_s < 3


def test_what_is_no_video_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("no video")
    for make in (write_poster, write_preview):
        with pytest.raises(VideoError):
            make(tmp_path / "text.mp4", tmp_path / "out" / "target.mp4")
    assert list(tmp_path.rglob("*target*")) == []


def test_browsers_do_not_play_everything(tmp_path: Path) -> None:
    for name, codec, plays in (
        ("a.mp4", "libx264", True),
        ("b.webm", "libvpx-vp9", True),
        ("c.mp4", "libx265", False),
        ("d.mkv", "libx264", False),
    ):
        source = samples.face_clip(tmp_path / name, seconds=0.3, codec=codec)
        assert plays_everywhere(probe(source), source) is plays, name


def test_ten_bit_h264_is_not_played_by_browsers(tmp_path: Path) -> None:
    source = samples.face_clip(tmp_path / "a.mp4", seconds=0.3, pixels="yuv420p10le")
    assert not plays_everywhere(probe(source), source)


def run(*arguments: str | Path) -> tuple[int, dict]:
    command = [sys.executable, "-m", "detection.vision.preview", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, json.loads(done.stdout)


def test_as_a_program_it_tells_what_a_file_is(tmp_path: Path) -> None:
    source = samples.face_clip(tmp_path / "a.mp4")
    status, answer = run("inspect", source, tmp_path / "poster.jpg", "--sha256", "0" * 64)
    assert (status, answer["codec"], answer["sha256"]) == (0, "h264", "0" * 64)
    assert (tmp_path / "poster.jpg").exists()


def test_as_a_program_it_tells_why_not(tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    assert run("inspect", tmp_path / "empty.mp4", tmp_path / "poster.jpg")[1]["reason"] == "unreadable"
    source = samples.face_clip(tmp_path / "a.mp4")
    status, answer = run("inspect", source, tmp_path / "poster.jpg", "--max-duration-s", "1")
    assert (status, answer["reason"]) == (2, "too_long")
