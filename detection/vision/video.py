"""Video files: what they are, and their frames, upright, with their true times, a few at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any, cast

import av
import av.logging
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.sidedata.sidedata import SideData
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from detection.inference.session import core_count
from detection.inference.weights import sha256_of
from detection.records.schema import Reason, VideoProperties

av.logging.set_level(None)  # what a decoder grumbles about a damaged file is not for the log: its frames tell

# Only what a video file can be. Playlists (hls, concat, dash) are left out: they make FFmpeg open other files and hosts
FORMATS = (
    "mov,mp4,matroska,webm,avi,mpeg,mpegts,mpegvideo,flv,asf,ogg,gif,apng,ivf,obu,h264,hevc,m4v,mjpeg,vc1,mxf,gxf,nut,dv,"
    "rm,swf,wtv,yuv4mpegpipe,"
    # known so that they are called by their name: sound and still pictures
    "wav,mp3,flac,aac,aiff,amr,image2,jpeg_pipe,png_pipe,webp_pipe,bmp_pipe,tiff_pipe,gif_pipe,jpegxl_pipe"
)
MAX_PIXELS = 36_000_000  # 8K; a larger picture is taken for damage, or for an attack on the memory
# The decoders keep to MAX_PIXELS as well, before they ask for memory: pictures may grow in the middle of a stream.
DECODER_OPTIONS = {"max_pixels": str(MAX_PIXELS)}
OPEN_OPTIONS = {"format_whitelist": FORMATS, "protocol_whitelist": "file", **DECODER_OPTIONS}
MAX_DECODER_THREADS = 8  # each holds frames
PROBED_PACKETS = 250
MAX_BARREN_PACKETS = 1500  # without one frame: the file counts as unreadable
ASSUMED_RATE_HZ = 25.0
MAX_RATE_HZ = 1000.0
# A step counts as uneven when it is off the median by a fifth: Matroska rounds times to whole milliseconds.
UNEVEN_STEP, UNEVEN_SHARE = 0.2, 0.05


class VideoError(Exception):
    """The file gives no frames. `reason` is what the record says, `detail` names the fault and the way out."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True)
class Orientation:
    """How a stored picture becomes the shown one: transposed, then mirrored along x, then along y."""

    transpose: bool = False
    mirror_x: bool = False
    mirror_y: bool = False

    @property
    def rotation_deg(self) -> int:
        """Clockwise: 0, 90, 180 or 270. A mirror image counts as the rotation that it has besides."""
        if self.transpose:
            return 90 if self.mirror_x else 270
        return 180 if self.mirror_y else 0


def probe(path: Path, max_duration_s: float | None = None, sha256: str | None = None) -> VideoProperties:
    """What the file says of itself, after one frame of it was decoded.

    `sha256` is given where it is known; otherwise the file is read through for it. Raises VideoError: unreadable,
    no_video_stream, too_long (longer than `max_duration_s`).
    """
    with open_video(path) as (container, stream):
        start = _look_at_start(path, container, stream)
        rate = _frame_rate(stream, start.times_s)
        duration_s = _declared_duration_s(container, stream) or _measured_duration_s(container, stream, start, rate)
        if max_duration_s is not None and duration_s > max_duration_s:
            raise VideoError(
                Reason.TOO_LONG,
                f"{path.name} lasts {duration_s:.0f} s; at most {max_duration_s:.0f} s are taken. "
                "Cut it, or raise the limit.",
            )
        width, height = shown_size(stream, start.frame)
        audio = next((a for a in container.streams.audio if a.codec_context is not None), None)
        return VideoProperties(
            name=path.name,
            sha256=sha256 or sha256_of(path),
            size_bytes=path.stat().st_size,
            container=container.format.name,
            codec=stream.codec_context.codec.canonical_name,
            width=width,
            height=height,
            rotation_deg=orientation_of(start.frame).rotation_deg,
            frame_rate=rate,
            variable_frame_rate=_is_uneven(start.times_s),
            duration_s=duration_s,
            frames=stream.frames or None,
            audio_codec=audio.codec_context.codec.canonical_name if audio is not None else None,
        )


@contextmanager
def open_video(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    """The file and its video stream, ready to decode. Raises VideoError: unreadable, no_video_stream."""
    try:
        # Tags are in whatever encoding their writer used: one that is not UTF-8 makes no video unreadable.
        container = av.open(str(path), options=OPEN_OPTIONS, metadata_errors="replace")
    except (av.FFmpegError, OSError, ValueError) as error:
        empty = path.is_file() and path.stat().st_size == 0
        fault = "is empty" if empty else f"is no video that can be read ({type(error).__name__})"
        raise VideoError(Reason.UNREADABLE, f"{path.name} {fault}. Export it again, for instance as MP4.") from error
    with container:
        stream = _video_stream(path, container)
        stream.thread_type = "AUTO"
        stream.codec_context.thread_count = min(core_count(), MAX_DECODER_THREADS)
        stream.codec_context.options = DECODER_OPTIONS
        yield container, stream


def measured_duration_s(path: Path, rate: float) -> float:
    """How long the video lasts by its packets, whatever the file declares. Reads it through. Raises VideoError."""
    with open_video(path) as (container, stream):
        return _measured_duration_s(container, stream, _look_at_start(path, container, stream), rate)


def start_s(container: InputContainer) -> float:
    """The time stamp at which players show 0:00."""
    return float((container.start_time or 0) / av.time_base)


def orientation_of(frame: VideoFrame) -> Orientation:
    """From the frame's display matrix, which maps a stored point (x, y) to (a·x + c·y, b·x + d·y).

    The same for all frames of a stream: ask once, for PyAV keeps every frame that is asked in memory for a while.
    """
    data = frame.side_data.get("DISPLAYMATRIX")
    if data is None:
        return Orientation()
    a, b, _, c, d = np.frombuffer(bytes(cast(SideData, data)), np.int32)[:5].tolist()
    if abs(b) + abs(c) > abs(a) + abs(d):
        return Orientation(transpose=True, mirror_x=c < 0, mirror_y=b < 0)
    return Orientation(mirror_x=a < 0, mirror_y=d < 0)


def square_pixel_size(stream: VideoStream, frame: VideoFrame) -> tuple[int, int]:
    """Width and height of the stored picture once its pixels are made square, before it is turned upright."""
    aspect = float(stream.sample_aspect_ratio or 1)
    if not 0.25 <= aspect <= 4:  # damage: no camera or disc has such pixels
        aspect = 1.0
    return max(1, round(frame.width * aspect)), frame.height


def shown_size(stream: VideoStream, frame: VideoFrame) -> tuple[int, int]:
    """Width and height of the picture as a player shows it."""
    width, height = square_pixel_size(stream, frame)
    return (height, width) if orientation_of(frame).transpose else (width, height)


def _video_stream(path: Path, container: InputContainer) -> VideoStream:
    if container.format.name.endswith("_pipe") or container.format.name == "image2":
        raise VideoError(Reason.NO_VIDEO_STREAM, f"{path.name} is a still picture, not a video.")
    streams = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic and s.codec_context]
    if not streams:
        raise VideoError(Reason.NO_VIDEO_STREAM, f"{path.name} holds no video that can be decoded.")
    stream = max(streams, key=lambda s: s.width * s.height)
    if stream.width * stream.height > MAX_PIXELS:
        raise VideoError(
            Reason.UNREADABLE,
            f"{path.name} claims pictures of {stream.width}×{stream.height}; at most {MAX_PIXELS // 10**6} megapixels "
            "are taken. Scale it down.",
        )
    return stream


@dataclass(frozen=True)
class _Start:
    """The first frame that can be decoded, the first packets' times in order, and how many packets there were."""

    frame: VideoFrame
    times_s: list[float]
    packets: int


def _look_at_start(path: Path, container: InputContainer, stream: VideoStream) -> _Start:
    frame: VideoFrame | None = None
    times: list[float] = []
    count = 0
    for packet in packets(container, stream):
        count += packet.size > 0
        if packet.pts is not None and packet.time_base is not None:
            times.append(float(packet.pts * packet.time_base))
        if frame is None:
            frame = next(iter(decode(packet)), None)
        elif count >= PROBED_PACKETS:
            break
        if frame is None and count >= MAX_BARREN_PACKETS:
            break
    if frame is None:
        raise VideoError(
            Reason.UNREADABLE,
            f"{path.name} holds {stream.codec_context.name} video of which no frame can be decoded: it is damaged or "
            "cut off. Copy it again from where it came.",
        )
    return _Start(frame, sorted(times), count)


def packets(container: InputContainer, stream: VideoStream) -> Iterator[Packet[VideoStream]]:
    """The stream's packets up to the end or to where the file is damaged, then the empty one that flushes a decoder."""
    try:
        yield from container.demux(stream)
    except (av.FFmpegError, OSError):
        return


def decode(packet: Packet[Any]) -> list[VideoFrame]:
    """The frames that a packet completes; none when it is damaged. Frames known to be patched up are left out."""
    try:
        frames = packet.decode()
    except (av.FFmpegError, ValueError):
        return []
    return [f for f in frames if isinstance(f, VideoFrame) and not f.is_corrupt and f.width * f.height <= MAX_PIXELS]


def _frame_rate(stream: VideoStream, times_s: list[float]) -> float:
    """Frames per second, on average where it varies."""
    steps = np.diff(times_s)
    steps = steps[steps > 0]
    measured = 1 / float(np.median(steps)) if len(steps) else ASSUMED_RATE_HZ
    for rate in (float(stream.average_rate or 0), measured):
        if isfinite(rate) and 0 < rate <= MAX_RATE_HZ:
            return rate
    return ASSUMED_RATE_HZ


def _is_uneven(times_s: list[float]) -> bool:
    """Whether the frame rate varies, judged by the first packets (the last few may lack their reordered neighbours)."""
    steps = np.diff(times_s[:-8])
    if len(steps) < 4:
        return False
    median = float(np.median(steps))
    return median <= 0 or float(np.mean(np.abs(steps - median) > UNEVEN_STEP * median)) > UNEVEN_SHARE


def _declared_duration_s(container: InputContainer, stream: VideoStream) -> float:
    """The time from 0:00 to the stream's end as the stream or else the container says; 0 where neither does."""
    if stream.duration and stream.duration > 0 and stream.time_base:
        begin_s = float((stream.start_time or 0) * stream.time_base) - start_s(container)
        return max(0.0, begin_s) + float(stream.duration * stream.time_base)
    return max(0.0, float((container.duration or 0) / av.time_base))


def _measured_duration_s(container: InputContainer, stream: VideoStream, start: _Start, rate: float) -> float:
    """From the time stamps to the file's end, for files that do not know it (a browser's recorder) or tell it wrong."""
    first, last = (start.times_s[0], start.times_s[-1]) if start.times_s else (0.0, 0.0)
    count = start.packets
    for packet in packets(container, stream):
        count += packet.size > 0
        if packet.pts is not None and packet.time_base is not None:
            last = max(last, float(packet.pts * packet.time_base))
    return last - first + 1 / rate if last > first else max(1, count) / rate
