"""A face that is free to use (scikit-image's astronaut, public domain), set in motion, as frames and as clips."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from skimage import data

from relitalk.faces import detect
from relitalk.geometry import Geometry, build_geometry

SIZE_PX = 320


@pytest.fixture(scope="session")
def portrait() -> np.ndarray:
    """(320, 320, 3) RGB with one face of about 120 px."""
    return cv2.resize(data.astronaut()[:400, 20:420], (SIZE_PX, SIZE_PX), interpolation=cv2.INTER_AREA)


@pytest.fixture(scope="session")
def geometry(portrait) -> Geometry:
    return build_geometry(portrait, detect(portrait)[0])


@pytest.fixture(scope="session")
def swaying(portrait) -> list[np.ndarray]:
    """24 frames in which the portrait sways and turns a little in the picture."""
    frames = []
    for i in range(24):
        matrix = cv2.getRotationMatrix2D((160, 160), 4 * np.sin(i / 5), 1.0)
        matrix[:, 2] += (5 * np.sin(i / 4), 3 * np.cos(i / 4))
        frames.append(cv2.warpAffine(portrait, matrix, (SIZE_PX, SIZE_PX), borderMode=cv2.BORDER_REFLECT))
    return frames


def write_clip(
    path: Path,
    frames: list[np.ndarray],
    *,
    times_ms: list[int] | None = None,
    audio: str | None = None,
    pix_fmt: str = "yuv420p",
) -> Path:
    """Frames as H.264 at 25 frames/s, or at the times given; `audio` names an encoder for a tone."""
    with av.open(str(path), "w") as output:
        video = output.add_stream("libx264", rate=25, options={"crf": "12", "preset": "ultrafast"})
        video.height, video.width = frames[0].shape[:2]
        video.pix_fmt = pix_fmt
        video.codec_context.time_base = Fraction(1, 1000)
        sound = output.add_stream(audio, rate=44100) if audio else None
        for i, image in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = (times_ms[i] if times_ms else 40 * i), Fraction(1, 1000)
            output.mux(video.encode(frame))
        output.mux(video.encode(None))
        if sound is not None:
            seconds = (times_ms[-1] if times_ms else 40 * len(frames)) / 1000
            tone = np.sin(np.arange(int(44100 * seconds)) * 0.05).astype(np.float32)[None] * 0.2
            layout = sound.layout.name
            tone = np.repeat(tone, len(sound.layout.channels), axis=0)
            resampler = av.AudioResampler(
                format=sound.format.name, layout=layout, rate=44100, frame_size=sound.frame_size or 1024
            )
            whole = av.AudioFrame.from_ndarray(np.ascontiguousarray(tone), format="fltp", layout=layout)
            whole.sample_rate, whole.pts = 44100, 0
            for part in [*resampler.resample(whole), *resampler.resample(None)]:
                output.mux(sound.encode(part))
            output.mux(sound.encode(None))
    return path


@pytest.fixture
def clip(tmp_path, swaying) -> Path:
    return write_clip(tmp_path / "clip.mp4", swaying, audio="aac")


@pytest.fixture
def make_clip(tmp_path) -> Callable[..., Path]:
    def make(frames: list[np.ndarray], name: str = "made.mp4", **options) -> Path:
        return write_clip(tmp_path / name, frames, **options)

    return make
