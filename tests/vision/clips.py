"""Videos for tests, made from a face that is in the public domain."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from math import cos, pi, sin
from pathlib import Path

import av
import cv2
import numpy as np
import skimage.data

from detection.vision.types import Image

# Display matrices as phones write them: stored picture → shown picture.
UNIT = 65536
TURNED_90 = (0, UNIT, 0, -UNIT, 0, 0, 0, 0, 1 << 30)  # shown 90° clockwise
TURNED_180 = (-UNIT, 0, 0, 0, -UNIT, 0, 0, 0, 1 << 30)
TURNED_270 = (0, -UNIT, 0, UNIT, 0, 0, 0, 0, 1 << 30)
MIRRORED = (-UNIT, 0, 0, 0, UNIT, 0, 0, 0, 1 << 30)


def astronaut() -> Image:
    """Eileen Collins (NASA), RGB 512²; her face is 110 px high, about (222, 125)."""
    return np.ascontiguousarray(skimage.data.astronaut())


def moving_face(count: int, size: tuple[int, int] = (320, 240), zoom: float = 1.0) -> Iterator[Image]:
    """A camera that pans, zooms and rolls a little over the astronaut; the face stays in the picture."""
    picture = astronaut()
    width, height = size
    for i in range(count):
        phase = 2 * pi * i / 40
        scale = zoom * height / 240 * (1 + 0.1 * sin(phase))
        matrix = cv2.getRotationMatrix2D((222.0, 125.0), 6 * sin(phase / 2), scale)
        matrix[:, 2] += (width / 2 - 222 + 12 * cos(phase), height / 2 - 125 + 6 * sin(phase))
        yield cv2.warpAffine(picture, matrix, size, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REFLECT)


def numbered(count: int, size: tuple[int, int] = (64, 48)) -> Iterator[Image]:
    """Frames that tell their number: ten squares, black or white, are its bits."""
    width, height = size
    for i in range(count):
        image = np.full((height, width, 3), 90, np.uint8)
        for bit in range(10):
            left = bit * width // 10
            image[:, left : left + width // 10] = 235 if i >> bit & 1 else 16
        yield image


def number_of(image: Image) -> int:
    """The number that a frame of `numbered` tells."""
    width = image.shape[1]
    squares = [image[:, b * width // 10 + 1 : (b + 1) * width // 10 - 1] for b in range(10)]
    return sum(1 << bit for bit, square in enumerate(squares) if square.mean() > 128)


def write_clip(
    path: Path,
    frames: Iterable[Image],
    *,
    codec: str = "libx264",
    rate: int = 25,
    pixels: str = "yuv420p",
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
    matrix: Sequence[int] | None = None,
    aspect: Fraction | None = None,
    times: Sequence[float] | None = None,
    gop: int | None = None,
    tags: dict[str, str] | None = None,
) -> Path:
    """Encodes RGB frames. `times` (seconds) makes the frame rate vary; `matrix` is the display matrix."""
    with av.open(str(path), "w", options=container_options or {}) as output:
        output.metadata.update(tags or {})
        stream = None
        for i, image in enumerate(frames):
            if stream is None:
                stream = output.add_stream(codec, rate=rate, options=options or {})
                stream.width, stream.height, stream.pix_fmt = image.shape[1], image.shape[0], pixels
                if matrix is not None:
                    stream.set_display_matrix(matrix)
                if aspect is not None:
                    stream.codec_context.sample_aspect_ratio = aspect
                if gop is not None:
                    stream.codec_context.gop_size = gop
                if times is not None:
                    stream.codec_context.time_base = Fraction(1, 1000)
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24").reformat(format=pixels)
            frame.pts = i if times is None else round(1000 * times[i])
            frame.time_base = Fraction(1, rate) if times is None else Fraction(1, 1000)
            output.mux(stream.encode(frame))
        assert stream is not None
        output.mux(stream.encode(None))
    return path


def write_sound(path: Path, cover: Image | None = None) -> Path:
    """One second of a tone, with a cover picture if given (which FFmpeg lists as a video stream)."""
    with av.open(str(path), "w") as output:
        stream = output.add_stream("aac" if path.suffix in (".mp4", ".m4a") else "mp3", rate=44_100)
        if cover is not None:
            picture = output.add_stream("png", rate=1)
            picture.width, picture.height, picture.pix_fmt = cover.shape[1], cover.shape[0], "rgb24"
            picture.disposition = av.stream.Disposition.attached_pic
        wave = (0.2 * np.sin(2 * pi * 440 * np.arange(44_100) / 44_100)).astype(np.float32)
        frame = av.AudioFrame.from_ndarray(wave[None], format="fltp", layout="mono")
        frame.sample_rate, frame.pts = 44_100, 0
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
        if cover is not None:
            output.mux(picture.encode(av.VideoFrame.from_ndarray(cover, format="rgb24")))
            output.mux(picture.encode(None))
    return path


def join(picture: Path, sound: Path, target: Path) -> Path:
    """One file with the video of `picture` and the audio of `sound`, copied."""
    with av.open(str(picture)) as a, av.open(str(sound)) as b, av.open(str(target), "w") as output:
        streams = [(source, source.streams.best(kind)) for source, kind in ((a, "video"), (b, "audio"))]
        copies = [output.add_stream_from_template(stream) for _, stream in streams]
        for (source, stream), copy in zip(streams, copies, strict=True):
            for packet in source.demux(stream):
                if packet.dts is not None:
                    packet.stream = copy
                    output.mux(packet)
    return target
