"""The clips that benchmarks run on: two moving faces in 720p, drawn from a picture in the public domain.

Both are Eileen Collins (NASA): herself, and her mirror image in another light as the second person. The camera pans,
zooms and rolls, and sensor noise and a fixed bit rate make the stream as heavy to decode as a camera's.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import cos, pi, sin
from pathlib import Path

import av
import cv2
import numpy as np
import skimage.data
from numpy.typing import NDArray

Image = NDArray[np.uint8]

WIDTH, HEIGHT, RATE_HZ = 1280, 720, 30
FACE_X, FACE_Y = 222.0, 125.0  # the centre of the face in the picture of 512²
BIT_RATE = 4_000_000
NOISE_SIGMA = 4.0
NOISES = 16


def write_talk(path: Path, seconds: int) -> Path:
    """H.264, 30 frames/s, two faces of 150 to 250 px that never leave the picture."""
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=RATE_HZ, options={"preset": "veryfast", "g": "60"})
        stream.bit_rate = BIT_RATE
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number, image in enumerate(_frames(seconds * RATE_HZ)):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, RATE_HZ)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


def repeat(source: Path, path: Path, times: int) -> Path:
    """`source` shown `times` times in a row. Packets are copied: what differs is how long the clip is, nothing else."""
    with av.open(str(path), "w") as output:
        copy, shift = None, 0
        for _ in range(times):
            with av.open(str(source)) as container:
                stream = container.streams.video[0]
                copy = copy or output.add_stream_from_template(stream)
                for packet in container.demux(stream):
                    if packet.dts is None or packet.pts is None:
                        continue
                    packet.pts += shift
                    packet.dts += shift
                    packet.stream = copy
                    output.mux(packet)
                assert stream.duration is not None
                shift += stream.duration
    return path


def _frames(count: int) -> Iterator[Image]:
    here = np.ascontiguousarray(skimage.data.astronaut())
    there = np.ascontiguousarray(np.clip(here[:, ::-1] * (0.8, 0.9, 1.0) + 8, 0, 255).astype(np.uint8))
    draw = np.random.default_rng(0)
    noises = [draw.normal(0, NOISE_SIGMA, (HEIGHT, WIDTH, 3)).astype(np.int16) for _ in range(NOISES)]
    for number in range(count):
        phase = 2 * pi * number / (4 * RATE_HZ)
        left = _seen_by_camera(here, FACE_X, phase)
        right = _seen_by_camera(there, here.shape[1] - FACE_X, phase + 1.3)
        scene = np.hstack([left, right])
        yield np.clip(scene + noises[draw.integers(NOISES)], 0, 255).astype(np.uint8)


def _seen_by_camera(picture: Image, face_x: float, phase: float) -> Image:
    """Half of the scene: panned, zoomed and rolled about the face."""
    width = WIDTH // 2
    matrix = cv2.getRotationMatrix2D((face_x, FACE_Y), 8 * sin(phase / 2), 1.6 + 0.3 * sin(phase))
    matrix[:, 2] += (width / 2 - face_x + 60 * cos(phase), HEIGHT / 2 - FACE_Y + 30 * sin(phase))
    return np.asarray(cv2.warpAffine(picture, matrix, (width, HEIGHT), borderMode=cv2.BORDER_REPLICATE), np.uint8)
