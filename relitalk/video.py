"""Reading every frame of a clip and writing it back: same times, same colours, same sound.

Pixels go YUV → RGB → YUV with full chroma interpolation and the clip's own matrix and range, which leaves what was not
relit within a rounding step of the source.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from detection.records.schema import Reason
from detection.vision.video import (
    Orientation,
    VideoError,
    decode,
    open_video,
    orientation_of,
    square_pixel_size,
    start_s,
)
from relitalk.colour import FULL_RANGE, SCALE_FLAGS, UNSPECIFIED, Colour, Converter
from relitalk.errors import RelightError
from relitalk.sound import sound_for

Array = NDArray[Any]

CRF = 17  # visually lossless: the source was compressed once already


@dataclass(frozen=True)
class ClipFormat:
    """What a written clip is like: `rate` in frames per second, and the sound stream that is copied, if any."""

    rate: Fraction
    time_base: Fraction
    colour: Colour
    audio: AudioStream | None
    start_s: float


@dataclass(frozen=True)
class ClipFrame:
    """One decoded frame. `pts` counts `time_base` from 0:00; `image` decodes to upright RGB (H, W, 3) with even
    sides.
    """

    index: int
    time_s: float
    pts: int
    raw: VideoFrame
    reader: ClipReader

    @property
    def image(self) -> Array:
        return self.reader.upright(self.raw)

    @property
    def thumbnail(self) -> Array:
        """(36, 64) float32 luminance in 0..1, not turned: enough to see a cut."""
        return self.raw.to_ndarray(format="gray", width=64, height=36).astype(np.float32) / 255


class ClipReader:
    """All frames of a clip, in order, with strictly increasing times: `with ClipReader.open(path) as clip`.

    A damaged packet costs itself, a file that breaks off gives what is there.
    """

    def __init__(self, path: Path, container: InputContainer, stream: Any) -> None:
        self.path = path
        self.container, self.stream = container, stream
        self.audio = next((a for a in container.streams.audio if a.codec_context is not None), None)
        self.time_base: Fraction = stream.time_base or Fraction(1, 90_000)
        self.rate: Fraction = stream.average_rate or stream.guessed_rate or Fraction(25)
        self.colour: Colour | None = None  # known from the first frame on
        self._to_rgb = Converter()
        self._orientation: Orientation | None = None  # asked once: asking keeps the frame in memory

    @classmethod
    @contextmanager
    def open(cls, path: Path) -> Iterator[ClipReader]:
        """Raises RelightError with the reason: unreadable, no_video_stream."""
        try:
            with open_video(path) as (container, stream):
                yield cls(path, container, stream)
        except VideoError as error:
            raise RelightError(error.detail, error.reason) from error

    @property
    def start_s(self) -> float:
        return start_s(self.container)

    @property
    def format(self) -> ClipFormat:
        """What a copy of the clip has to be like; known from the first frame on."""
        assert self.colour is not None, "asked for before a frame was read"
        return ClipFormat(self.rate, self.time_base, self.colour, self.audio, self.start_s)

    def frames(self, on_audio: Callable[[Packet[Any]], None] | None = None) -> Iterator[ClipFrame]:
        """The frames, and on the way the audio packets that lie between them. Raises RelightError when there is
        none.
        """
        offset = round(self.start_s / self.time_base)
        step = max(1, round(1 / self.rate / self.time_base))
        index, last = 0, -step
        for packet in self._packets(with_audio=on_audio is not None):
            if packet.stream.type == "audio":
                if on_audio is not None and packet.dts is not None:
                    on_audio(packet)
                continue
            for raw in decode(packet):
                pts = last + step if raw.pts is None else raw.pts - offset
                pts = pts if pts > last else last + max(1, step // 2)
                self.colour = self.colour or Colour.of(raw)
                yield ClipFrame(index, float(pts * self.time_base), pts, raw, self)
                index, last = index + 1, pts
        if index == 0:
            raise RelightError(
                f"No frame of {self.path.name} can be decoded: it is damaged or cut off. Copy it again.",
                Reason.UNREADABLE,
            )

    def upright(self, raw: VideoFrame) -> Array:
        """RGB (H, W, 3) with square pixels, turned as the display matrix says, cropped to even sides."""
        matrix, value_range = (self.colour or Colour.of(raw)).scale_names(raw.height)
        width, height = square_pixel_size(self.stream, raw)
        scale = (
            f"scale={width}:{height}:in_color_matrix={matrix}:in_range={value_range}:out_range=pc:flags={SCALE_FLAGS}"
        )
        image: Array = self._to_rgb.apply(raw, (scale, "format=rgb24")).to_ndarray()
        turn = self._orientation = self._orientation or orientation_of(raw)
        if turn.transpose:
            image = cv2.transpose(image)
        if turn.mirror_x:
            image = cv2.flip(image, 1)
        if turn.mirror_y:
            image = cv2.flip(image, 0)
        rows, columns = image.shape[0] // 2 * 2, image.shape[1] // 2 * 2
        if not rows or not columns:
            raise RelightError(
                f"{self.path.name} is only {image.shape[1]}×{image.shape[0]} pixels large: no face can be seen in it.",
                Reason.FACE_TOO_SMALL,
            )
        return np.ascontiguousarray(image[:rows, :columns])

    def _packets(self, with_audio: bool) -> Iterator[Packet[Any]]:
        streams = [self.stream] + ([self.audio] if with_audio and self.audio is not None else [])
        try:
            yield from self.container.demux(streams)
        except (av.FFmpegError, OSError):
            return


class ClipWriter:
    """Writes H.264 High yuv420p with sound into an MP4 whose index comes first.

    Sound is copied where browsers play it, else encoded to AAC; a clip without sound gets a silent track, because some
    players and editors refuse a file that has none.
    """

    def __init__(self, output: OutputContainer, clip: ClipFormat, size: tuple[int, int], crf: int = CRF) -> None:
        self._output, self._clip, self._colour = output, clip, clip.colour
        self._stream = output.add_stream("libx264", rate=clip.rate, options={"preset": "veryfast", "crf": str(crf)})
        self._stream.width, self._stream.height = size
        self._stream.pix_fmt = "yuv420p"
        context = self._stream.codec_context
        context.time_base = clip.time_base
        context.profile = "High"
        context.colorspace = self._colour.matrix
        context.color_primaries = self._colour.primaries
        context.color_trc = self._colour.transfer
        context.color_range = FULL_RANGE if self._colour.full_range else 1
        self._to_yuv = Converter()
        self._sound = sound_for(output, clip.audio, clip.start_s)

    @classmethod
    @contextmanager
    def open(
        cls, target: Path, clip: ClipFormat, size: tuple[int, int], metadata: dict[str, str], crf: int = CRF
    ) -> Iterator[ClipWriter]:
        """`size` is (width, height). The file takes `target`'s place at one stroke, when nothing was raised."""
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{os.getpid()}-{target.stem}.mp4")
        try:
            with av.open(str(temporary), "w", format="mp4", options={"movflags": "+faststart"}) as output:
                output.metadata.update(metadata)
                writer = cls(output, clip, size, crf)
                yield writer
                writer._finish()
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)

    def write(self, image: Array, pts: int) -> None:
        """One RGB frame (H, W, 3) at `pts` in the clip's time base."""
        frame = VideoFrame.from_ndarray(image, format="rgb24")
        matrix, value_range = self._colour.scale_names(image.shape[0])
        scale = f"scale=in_range=pc:out_color_matrix={matrix}:out_range={value_range}:flags={SCALE_FLAGS}"
        frame.time_base = self._clip.time_base
        stored = self._to_yuv.apply(frame, (scale, "format=yuv420p"))
        stored.pts, stored.time_base = pts, self._clip.time_base
        self._output.mux(self._stream.encode(stored))
        self._sound.reach(float(pts * self._clip.time_base))

    def write_audio(self, packet: Packet[Any]) -> None:
        """One audio packet of the source."""
        self._sound.take(packet)

    def _finish(self) -> None:
        self._output.mux(self._stream.encode(None))
        self._sound.finish()


def write_frames(
    frames: Iterable[Array], rate: int, target: Path, metadata: dict[str, str], sound_of: Path | None = None
) -> int:
    """Rendered RGB frames (H, W, 3) at a steady rate as a clip, with the sound of another one. Gives their number."""
    time_base = Fraction(1, rate * 512)
    colour = Colour(UNSPECIFIED, UNSPECIFIED, UNSPECIFIED, full_range=False)
    with ExitStack() as stack:
        source = stack.enter_context(ClipReader.open(sound_of)) if sound_of else None
        audio = source.audio if source else None
        sound = iter(source.container.demux(audio)) if source and audio is not None else iter(())
        held: Packet[Any] | None = None
        writer: ClipWriter | None = None
        count = 0
        for frame in frames:
            if writer is None:
                clip = ClipFormat(Fraction(rate), time_base, colour, audio, source.start_s if source else 0.0)
                size = (frame.shape[1] // 2 * 2, frame.shape[0] // 2 * 2)
                writer = stack.enter_context(ClipWriter.open(target, clip, size, metadata))
            writer.write(np.ascontiguousarray(frame[: size[1], : size[0]]), count * 512)
            count += 1
            while True:
                held = held or next(sound, None)
                if held is None or (held.time_base and held.dts and held.dts * held.time_base > count / rate):
                    break
                writer.write_audio(held)
                held = None
    return count
