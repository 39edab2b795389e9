from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from detection.records.schema import Reason
from detection.vision.provenance import read_provenance
from detection.vision.video import VideoError, probe
from tests.vision import clips

SVT_QUIET = {"preset": "12", "svtav1-params": "rtc=1"}
CODECS = [
    ("clip.mp4", "libx264", "h264", {}),
    ("clip.mp4", "libx265", "hevc", {"x265-params": "log-level=none"}),
    ("clip.webm", "libvpx-vp9", "vp9", {"deadline": "realtime", "cpu-used": "8"}),
    ("clip.mkv", "libsvtav1", "av1", SVT_QUIET),
    ("clip.avi", "mpeg4", "mpeg4", {}),
    ("clip.mpg", "mpeg1video", "mpeg1video", {}),
    ("clip.ts", "libx264", "h264", {}),
    ("clip.h264", "libx264", "h264", {}),
]


@pytest.mark.parametrize(("name", "encoder", "codec", "options"), CODECS, ids=[f"{c[2]}-{c[0]}" for c in CODECS])
def test_it_knows_what_a_file_is(tmp_path: Path, name: str, encoder: str, codec: str, options: dict[str, str]) -> None:
    path = clips.write_clip(tmp_path / name, clips.numbered(50, (160, 120)), codec=encoder, options=options)
    video = probe(path)
    assert (video.codec, video.width, video.height, video.rotation_deg) == (codec, 160, 120, 0)
    assert video.frame_rate == pytest.approx(25)
    assert video.duration_s == pytest.approx(2.0, abs=0.6 if name.endswith("mpg") else 0.1)  # an estimate there
    assert not video.variable_frame_rate
    assert video.audio_codec is None
    assert video.size_bytes == path.stat().st_size
    assert len(video.sha256) == 64


def test_an_animated_picture_is_a_video(tmp_path: Path) -> None:
    path = clips.write_clip(tmp_path / "clip.gif", clips.numbered(20), codec="gif", pixels="rgb8", rate=10)
    video = probe(path)
    assert (video.codec, video.frame_rate) == ("gif", pytest.approx(10))
    assert video.duration_s == pytest.approx(2.0, abs=0.11)


@pytest.mark.parametrize(
    ("matrix", "rotation_deg", "size"),
    [
        (clips.TURNED_90, 90, (120, 160)),
        (clips.TURNED_180, 180, (160, 120)),
        (clips.TURNED_270, 270, (120, 160)),
        (clips.MIRRORED, 0, (160, 120)),
    ],
)
def test_the_size_is_that_of_the_upright_picture(
    tmp_path: Path, matrix: tuple[int, ...], rotation_deg: int, size: tuple[int, int]
) -> None:
    video = probe(clips.write_clip(tmp_path / "clip.mp4", clips.numbered(5, (160, 120)), matrix=matrix))
    assert (video.rotation_deg, (video.width, video.height)) == (rotation_deg, size)


def test_pixels_that_are_not_square_count_as_shown(tmp_path: Path) -> None:
    path = clips.write_clip(tmp_path / "clip.mp4", clips.numbered(5, (144, 120)), aspect=Fraction(4, 3))
    assert (probe(path).width, probe(path).height) == (192, 120)


def test_a_varying_frame_rate_is_noticed(tmp_path: Path) -> None:
    times = np.cumsum([0.04 if i % 3 else 0.12 for i in range(40)])
    path = clips.write_clip(tmp_path / "clip.mp4", clips.numbered(40), times=times.tolist())
    video = probe(path)
    assert video.variable_frame_rate
    assert video.frame_rate == pytest.approx(40 / (times[-1] - times[0]), rel=0.1)


def test_sound_is_named(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    with_sound = clips.write_sound(tmp_path / "sound.mp4")
    clips.write_clip(path, clips.numbered(25))
    clips.join(path, with_sound, tmp_path / "both.mp4")
    assert probe(tmp_path / "both.mp4").audio_codec == "aac"


def assert_refused(path: Path, reason: Reason, *words: str) -> None:
    with pytest.raises(VideoError) as caught:
        probe(path, max_duration_s=60)
    assert caught.value.reason is reason
    assert path.name in caught.value.detail
    for word in words:
        assert word in caught.value.detail


def test_tags_in_another_encoding_make_no_video_unreadable(tmp_path: Path) -> None:
    """As old cameras and editors write them, here in Latin-1."""
    path = clips.write_clip(tmp_path / "clip.avi", clips.numbered(5), codec="mpeg4", tags={"title": "Caf$"})
    path.write_bytes(path.read_bytes().replace(b"Caf$", b"Caf\xe9"))
    assert probe(path).codec == "mpeg4"
    provenance = read_provenance(path)
    assert provenance is not None
    assert provenance.tags["title"] == "Caf\N{REPLACEMENT CHARACTER}"


def test_a_text_named_mp4(tmp_path: Path) -> None:
    path = tmp_path / "letter.mp4"
    path.write_text("Dear all, this is no video.\n" * 200)
    assert_refused(path, Reason.UNREADABLE)


def test_an_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "empty.mp4"
    path.touch()
    assert_refused(path, Reason.UNREADABLE, "is empty")


def test_sound_alone(tmp_path: Path) -> None:
    assert_refused(clips.write_sound(tmp_path / "sound.mp4"), Reason.NO_VIDEO_STREAM)


def test_a_cover_picture_is_no_video(tmp_path: Path) -> None:
    path = clips.write_sound(tmp_path / "song.mp3", cover=clips.astronaut()[:64, :64])
    assert_refused(path, Reason.NO_VIDEO_STREAM)


@pytest.mark.parametrize("ending", [".jpg", ".png", ".webp"])
def test_a_still_picture_named_mp4(tmp_path: Path, ending: str) -> None:
    path = tmp_path / "photo.mp4"
    path.write_bytes(cv2.imencode(ending, clips.astronaut())[1].tobytes())
    assert_refused(path, Reason.NO_VIDEO_STREAM, "still picture")


def test_a_file_whose_index_was_cut_off(tmp_path: Path) -> None:
    path = clips.write_clip(tmp_path / "clip.mp4", clips.numbered(50))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert_refused(path, Reason.UNREADABLE)


def test_a_file_with_an_index_and_no_picture_behind_it(tmp_path: Path) -> None:
    path = clips.write_clip(tmp_path / "clip.mp4", clips.numbered(50), container_options={"movflags": "faststart"})
    data = path.read_bytes()
    begin = data.index(b"mdat") + 4
    path.write_bytes(data[:begin] + bytes(len(data) - begin))
    assert_refused(path, Reason.UNREADABLE, "no frame can be decoded")


def test_a_playlist_opens_no_other_file(tmp_path: Path) -> None:
    """An HLS or concat list would make FFmpeg read files (and hosts) of the attacker's choice."""
    clips.write_clip(tmp_path / "secret.ts", clips.numbered(50))
    hls = tmp_path / "hls.mp4"
    hls.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nsecret.ts\n#EXT-X-ENDLIST\n")
    assert_refused(hls, Reason.UNREADABLE)
    concat = tmp_path / "concat.mp4"
    concat.write_text("ffconcat version 1.0\nfile secret.ts\n")
    assert_refused(concat, Reason.UNREADABLE)


def test_a_picture_of_absurd_size(tmp_path: Path) -> None:
    path = clips.write_clip(tmp_path / "huge.gif", clips.numbered(3), codec="gif", pixels="rgb8", rate=10)
    data = bytearray(path.read_bytes())
    data[6:10] = struct.pack("<HH", 65_000, 65_000)
    path.write_bytes(data)
    assert_refused(path, Reason.UNREADABLE)


def test_a_video_that_is_too_long(tmp_path: Path) -> None:
    path = clips.write_clip(tmp_path / "long.mp4", clips.numbered(70), rate=1)
    assert_refused(path, Reason.TOO_LONG, "70 s", "60 s")


def test_a_known_hash_is_not_computed_again(tmp_path: Path) -> None:
    path = clips.write_clip(tmp_path / "clip.mp4", clips.numbered(5))
    assert probe(path, sha256="f" * 64).sha256 == "f" * 64
