from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from detection.records.schema import Span
from detection.vision.prefetch import ahead
from detection.vision.reading import FrameReader, Sample
from detection.vision.sampling import SamplingPlan, plan_samples
from detection.vision.types import Image
from detection.vision.video import probe
from tests.vision import clips


def read(path: Path, plan: SamplingPlan | None = None) -> tuple[list[Sample], FrameReader]:
    video = probe(path)
    reader = FrameReader(path, video, plan or plan_samples(video.duration_s, video.frame_rate))
    return list(reader), reader


CODECS = [
    ("clip.mp4", "libx264", {}),
    ("clip.mp4", "libx265", {"x265-params": "log-level=none"}),
    ("clip.webm", "libvpx-vp9", {"deadline": "realtime", "cpu-used": "8"}),
    ("clip.mkv", "libsvtav1", {"preset": "12", "svtav1-params": "rtc=1"}),
    ("clip.avi", "mpeg4", {}),
    ("clip.mpg", "mpeg1video", {"b": "2000000"}),
    ("clip.ts", "libx264", {}),
    ("clip.h264", "libx264", {}),
]


@pytest.mark.parametrize(("name", "codec", "options"), CODECS, ids=[f"{c[1]}-{c[0]}" for c in CODECS])
def test_each_sample_is_the_frame_of_its_time(tmp_path: Path, name: str, codec: str, options: dict[str, str]) -> None:
    path = clips.write_clip(tmp_path / name, clips.numbered(60, (160, 120)), codec=codec, options=options)
    samples, _ = read(path)
    numbers = [clips.number_of(s.frame.image) for s in samples]
    assert numbers == list(range(0, 60, 2))
    assert [s.frame.time_s for s in samples] == pytest.approx([n / 25 for n in numbers], abs=0.002)
    assert [s.frame.index for s in samples] == numbers


def test_an_animated_picture(tmp_path: Path) -> None:
    path = clips.write_clip(tmp_path / "clip.gif", clips.numbered(20), codec="gif", pixels="rgb8", rate=10)
    samples, _ = read(path)
    assert [clips.number_of(s.frame.image) for s in samples] == list(range(20))
    assert samples[-1].frame.time_s == pytest.approx(1.9, abs=0.02)


def test_frames_that_are_not_sampled_and_not_needed_are_not_decoded(tmp_path: Path) -> None:
    options = {"bf": "1", "b-adapt": "0", "x264-params": "b-pyramid=0:scenecut=0:keyint=1000"}
    path = clips.write_clip(tmp_path / "clip.mp4", clips.moving_face(90), options=options)
    samples, reader = read(path)
    every_frame = [np.asarray(f.to_ndarray(format="rgb24")) for f in av.open(str(path)).decode(video=0)]
    assert reader.frames_decoded < 60
    assert len(samples) == 45
    for sample in samples:
        np.testing.assert_array_equal(sample.frame.image, every_frame[sample.frame.index])


@pytest.mark.parametrize("matrix", [clips.TURNED_90, clips.TURNED_180, clips.TURNED_270, clips.MIRRORED])
def test_pictures_are_upright(tmp_path: Path, matrix: tuple[int, ...]) -> None:
    shown = clips.astronaut()[20:276, 60:380]  # 320 × 256
    stored = {
        clips.TURNED_90: np.rot90(shown, 1),  # turned back, so that 90° clockwise makes it upright
        clips.TURNED_180: np.rot90(shown, 2),
        clips.TURNED_270: np.rot90(shown, -1),
        clips.MIRRORED: shown[:, ::-1],
    }[matrix]
    path = clips.write_clip(tmp_path / "clip.mp4", [stored] * 4, matrix=matrix)
    samples, _ = read(path)
    assert samples[0].frame.image.shape == shown.shape
    assert np.abs(samples[0].frame.image.astype(int) - shown).mean() < 4


def test_pixels_are_made_square(tmp_path: Path) -> None:
    squeezed = np.ascontiguousarray(clips.astronaut()[:240:, ::2][:, :240])
    path = clips.write_clip(tmp_path / "clip.mp4", [squeezed] * 3, aspect=Fraction(2, 1))
    samples, _ = read(path)
    assert samples[0].frame.image.shape == (240, 480, 3)


def test_odd_sizes(tmp_path: Path) -> None:
    odd = np.ascontiguousarray(clips.astronaut()[:241, :321])
    path = clips.write_clip(tmp_path / "clip.mkv", [odd] * 3, codec="ffv1", pixels="bgr0")
    samples, _ = read(path)
    np.testing.assert_array_equal(samples[0].frame.image, odd)


def test_true_times_of_a_varying_rate(tmp_path: Path) -> None:
    times = np.cumsum([0.04 if i % 5 else 0.4 for i in range(60)]) - 0.4
    path = clips.write_clip(tmp_path / "clip.mp4", clips.numbered(60), times=times.tolist())
    samples, _ = read(path)
    assert len(samples) > 15
    for sample in samples:
        assert sample.frame.time_s == pytest.approx(times[clips.number_of(sample.frame.image)], abs=0.002)


def test_frames_without_time_stamps_are_counted(tmp_path: Path) -> None:
    path = clips.write_clip(tmp_path / "clip.h264", clips.numbered(40), rate=10)
    samples, _ = read(path)
    assert [clips.number_of(s.frame.image) for s in samples] == list(range(0, 40, round(probe(path).frame_rate / 10)))
    steps = np.diff([s.frame.time_s for s in samples])
    assert steps == pytest.approx(steps[0])


@pytest.mark.parametrize("name", ["cut.mp4", "cut.mkv", "cut.ts"])
def test_a_file_that_ends_early_is_used_up_to_there(tmp_path: Path, name: str) -> None:
    options = {"movflags": "faststart"} if name.endswith("mp4") else None
    path = clips.write_clip(tmp_path / name, clips.moving_face(100), container_options=options)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * 0.6)])
    samples, _ = read(path)
    assert 15 <= len(samples) < 50
    assert [s.frame.index for s in samples] == sorted({s.frame.index for s in samples})


def test_damage_in_the_middle_costs_the_frames_that_it_touches(tmp_path: Path) -> None:
    path = clips.write_clip(tmp_path / "clip.mp4", clips.moving_face(100), gop=10)
    data = bytearray(path.read_bytes())
    middle = data.index(b"mdat") + len(data) // 3
    data[middle : middle + 400] = bytes(400)
    path.write_bytes(data)
    samples, _ = read(path)
    assert len(samples) >= 35
    assert samples[-1].frame.index >= 96


def long_clip(path: Path) -> Path:
    """120 s at 8 frames a second: 960 numbered frames, a key frame every 2 s."""
    return clips.write_clip(path, clips.numbered(960), rate=8, gop=16)


@pytest.mark.parametrize("name", ["long.mp4", "long.mkv", "long.ts"])
def test_of_a_long_video_only_the_segments_are_decoded(tmp_path: Path, name: str) -> None:
    path = long_clip(tmp_path / name)
    plan = SamplingPlan(0.125, (Span(0, 2), Span(41.3, 43.3), Span(90, 92), Span(118, 120)))
    samples, reader = read(path, plan)
    assert reader.frames_decoded < 300
    for sample in samples:
        span = plan.segments[sample.segment]
        assert span.start_s - 0.07 <= sample.frame.time_s <= span.end_s
        assert clips.number_of(sample.frame.image) == round(sample.frame.time_s * 8)
    counts = [sum(s.segment == n for s in samples) for n in range(4)]
    assert min(counts) >= 14


def test_neighbouring_segments_are_read_on_rather_than_jumped_to(tmp_path: Path) -> None:
    path = clips.write_clip(tmp_path / "clip.mp4", clips.numbered(200), gop=1000)
    plan = SamplingPlan(0.08, (Span(0, 2), Span(5, 7)))
    samples, reader = read(path, plan)
    assert next(clips.number_of(s.frame.image) for s in samples if s.segment == 1) == 125
    assert reader.frames_decoded <= 190


def test_no_more_than_a_few_frames_are_ever_in_memory(tmp_path: Path) -> None:
    path = clips.write_clip(tmp_path / "clip.mp4", clips.numbered(500))
    alive: list[weakref.ref[Image]] = []
    most = 0

    def watched() -> Iterator[Sample]:
        video = probe(path)
        for sample in FrameReader(path, video, SamplingPlan(0.04, (Span(0, video.duration_s),))):
            alive.append(weakref.ref(sample.frame.image))
            yield sample

    for number, _sample in enumerate(ahead(watched(), 3)):
        if number % 25 == 0:
            gc.collect()
            most = max(most, sum(ref() is not None for ref in alive))
    assert len(alive) == 500
    assert most <= 6  # three in the queue, one before it, one behind it, one in hand
