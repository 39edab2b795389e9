"""Small videos for tests: a real face that moves, drawn from a picture in the public domain."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import skimage.data


def write_astronaut(
    path: Path, *, frames: int = 50, rate: int = 25, mark: int = 0, picture: np.ndarray | None = None
) -> Path:
    """Eileen Collins (NASA, public domain) under a camera that sways; clips of different `mark` are different files.

    `picture` (512, 512, 3) takes the photograph's place.
    """
    picture = np.ascontiguousarray(skimage.data.astronaut()) if picture is None else picture
    with av.open(str(path), "w") as container:
        container.metadata["comment"] = f"mark {mark}"
        stream = container.add_stream("libx264", rate=rate, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 448, 448, "yuv420p"
        for number in range(frames):
            x, y = (int(32 + 28 * wave(number / rate)) for wave in (np.sin, np.cos))
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture[y : y + 448, x : x + 448]), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def write_noise(path: Path, *, size: tuple[int, int] = (320, 240), frames: int = 25, rate: int = 25) -> Path:
    """A video without a face; `size` is (width, height)."""
    draw = np.random.default_rng(0)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4" if min(size) < 16 else "libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for _ in range(frames):
            pixels = draw.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def write_sound(path: Path, *, seconds: int = 2) -> Path:
    """A file with an audio stream alone."""
    tone = np.sin(np.arange(8000 * seconds) * 2 * np.pi * 440 / 8000).astype(np.float32)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=8000, layout="mono")
        for start in range(0, len(tone), 1024):
            frame = av.AudioFrame.from_ndarray(tone[None, start : start + 1024], format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 8000, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path
