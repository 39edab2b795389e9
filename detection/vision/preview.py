"""What a browser needs to show a video: a poster, and an H.264 copy where it cannot play the file itself.

Run as a program (`python -m detection.vision.preview {inspect,poster,video} SOURCE TARGET`) it works in a process of
its own, so that a file on which a decoder crashes or hangs costs nobody else anything.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.filter import Graph
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from detection.records.schema import Reason, VideoProperties
from detection.vision.confinement import confine_memory, end_after
from detection.vision.video import VideoError, decode, open_video, orientation_of, packets, probe, shown_size, start_s

MAX_SIDES_PX = (1280, 720)  # of a wide picture; a tall one may have 720 × 1280
POSTER_MAX_PX = 480
POSTER_AT = 0.1  # of the duration: the first frames are often black
AUDIO_RATE_HZ = 48_000

# What Chromium, Firefox and Safari all play, by the file's ending.
PLAYABLE_CODECS = {
    ".mp4": ({"h264"}, {None, "aac", "mp3"}),
    ".m4v": ({"h264"}, {None, "aac", "mp3"}),
    ".webm": ({"vp8", "vp9"}, {None, "opus", "vorbis"}),
}
PLAYABLE_PIXELS = {"yuv420p", "yuvj420p"}  # browsers refuse 10-bit and 4:2:2


def plays_everywhere(video: VideoProperties, source: Path) -> bool:
    """Whether any browser plays `source` as it is. Opens the file to see how its pixels are stored."""
    pictures, sound = PLAYABLE_CODECS.get(source.suffix.lower(), (set(), set()))
    if video.codec not in pictures or video.audio_codec not in sound:
        return False
    try:
        with open_video(source) as (_, stream):
            return stream.codec_context.pix_fmt in PLAYABLE_PIXELS
    except VideoError:
        return False


def write_poster(source: Path, target: Path) -> None:
    """One upright frame of `source` as a JPEG of at most POSTER_MAX_PX. Raises VideoError."""
    try:
        _write_poster(source, target, POSTER_AT)
    except (VideoError, av.FFmpegError):  # it cannot be searched, or holds nothing sound there
        _write_poster(source, target, 0.0)


def _write_poster(source: Path, target: Path, at: float) -> None:
    with open_video(source) as (container, stream):
        if container.duration and at:
            container.seek(int(container.duration * at))  # lands on the key frame before
        frame = _first_frame(source, container, stream)
        size = _fit(shown_size(stream, frame), (POSTER_MAX_PX, POSTER_MAX_PX))
        upright = Upright(size, "yuvj420p").apply(frame)
        with replacing(target) as temporary:
            upright.save(temporary, qscale="4")


def write_preview(source: Path, target: Path) -> None:
    """`source` as an MP4 that every browser plays: H.264 yuv420p, upright, at most 720 lines, AAC, index first.

    Its times are those of the file, counted from its start. Never more than a few frames are in memory.
    Raises VideoError.
    """
    with open_video(source) as (container, stream):
        size = _fit(shown_size(stream, _first_frame(source, container, stream)), MAX_SIDES_PX)
    options = {"movflags": "+faststart"}
    with (
        open_video(source) as (container, stream),
        replacing(target) as temporary,
        av.open(str(temporary), "w", format="mp4", options=options) as output,
    ):
        if not _transcode(container, stream, output, size):
            raise VideoError(Reason.UNREADABLE, f"{source.name} holds no picture that can be shown.")


def _first_frame(source: Path, container: InputContainer, stream: VideoStream) -> VideoFrame:
    for packet in packets(container, stream):
        if frames := decode(packet):
            return frames[0]
    raise VideoError(Reason.UNREADABLE, f"{source.name} holds no picture that can be decoded.")


def _transcode(container: InputContainer, video: VideoStream, output: OutputContainer, size: tuple[int, int]) -> int:
    """Copy all that can be decoded; how many pictures that were. Without one, no file may have been written."""
    audio = next((stream for stream in container.streams.audio if stream.codec_context), None)
    pictures = output.add_stream("libx264", rate=video.average_rate or 25, options={"preset": "veryfast", "crf": "23"})
    pictures.width, pictures.height = size
    pictures.pix_fmt = "yuv420p"
    pictures.codec_context.time_base = video.time_base or Fraction(1, 90_000)
    sound = output.add_stream("aac", rate=AUDIO_RATE_HZ, layout="stereo") if audio is not None else None
    resampler = av.AudioResampler(format="fltp", layout="stereo", rate=AUDIO_RATE_HZ)
    upright = Upright(size, "yuv420p")
    clock, count = _Clock(video), 0
    for frame in _frames(container, video, audio):
        _count_from_start(frame, start_s(container))
        if isinstance(frame, AudioFrame):
            for resampled in resampler.resample(frame):
                output.mux(sound.encode(resampled) if sound else [])
        elif clock.stamp(frame):
            count += 1
            output.mux(pictures.encode(upright.apply(frame)))
    if not count:
        return 0
    output.mux(pictures.encode(None))
    if sound is not None:
        output.mux(sound.encode(None))
    return count


class _Clock:
    """Sees to it that pictures come in order of time. A raw stream has no time stamps: its pictures are counted."""

    def __init__(self, video: VideoStream) -> None:
        self._last: int | None = None
        rate = video.average_rate or Fraction(25)
        self._step = max(1, round(1 / (rate * (video.time_base or Fraction(1, 90_000)))))

    def stamp(self, frame: VideoFrame) -> bool:
        """Whether the picture can be shown; False for one with a damaged time stamp."""
        if frame.pts is None:
            frame.pts = 0 if self._last is None else self._last + self._step
        if self._last is not None and frame.pts <= self._last:
            return False
        self._last = frame.pts
        return True


def _frames(
    container: InputContainer, video: VideoStream, audio: AudioStream | None
) -> Iterator[VideoFrame | AudioFrame]:
    """All frames that can be decoded, in the file's order, up to where it is cut off."""
    demuxer = container.demux([video] if audio is None else [video, audio])
    while True:
        try:
            packet = next(demuxer)
        except (StopIteration, av.FFmpegError, OSError):
            return
        if packet.stream is video:
            yield from decode(packet)
            continue
        try:
            yield from (frame for frame in packet.decode() if isinstance(frame, AudioFrame))
        except (av.FFmpegError, ValueError):
            continue  # a moment of silence


def _count_from_start(frame: VideoFrame | AudioFrame, start: float) -> None:
    if frame.pts is not None and frame.time_base:
        frame.pts -= round(start / frame.time_base)


class Upright:
    """Turns frames as their display matrix says, scales them to `size` (width, height) and converts their pixels.

    `extra` are FFmpeg filters, name and options, that act on the upright frame before it is scaled.
    """

    def __init__(self, size: tuple[int, int], pixels: str, extra: Sequence[tuple[str, str | None]] = ()) -> None:
        self._size, self._pixels, self._extra = size, pixels, extra
        self._input: tuple[int, int, str] | None = None
        self._graph: Graph | None = None

    def apply(self, frame: VideoFrame) -> VideoFrame:
        layout = (frame.width, frame.height, frame.format.name)
        if self._graph is None or layout != self._input:  # the first frame, or the stream changes its size
            self._graph, self._input = self._build(frame), layout
        self._graph.push(frame)
        upright = self._graph.pull()
        assert isinstance(upright, VideoFrame)
        upright.pts, upright.time_base = frame.pts, frame.time_base
        return upright

    def _build(self, frame: VideoFrame) -> Graph:
        turn = orientation_of(frame)
        width, height = self._size
        steps = [
            ("transpose", "cclock_flip", turn.transpose),
            ("hflip", None, turn.mirror_x),
            ("vflip", None, turn.mirror_y),
            *((name, options, True) for name, options in self._extra),
            ("scale", f"{width}:{height}:flags=bicubic", True),
            ("setsar", "1", True),
            ("format", self._pixels, True),
            ("buffersink", None, True),
        ]
        graph = Graph()
        source = graph.add_buffer(
            width=frame.width,
            height=frame.height,
            format=frame.format,
            time_base=frame.time_base or Fraction(1, 90_000),
        )
        graph.link_nodes(source, *(graph.add(name, options) for name, options, wanted in steps if wanted)).configure()
        return graph


def _fit(size: tuple[int, int], limit: tuple[int, int]) -> tuple[int, int]:
    """(width, height) within `limit` (turned for a tall picture), with even sides, never enlarged."""
    width, height = size
    across, down = limit if width >= height else limit[::-1]
    scale = min(1.0, across / width, down / height)
    return max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2)


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """A path to write to; it takes `target`'s place at one stroke when nothing was raised."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{os.getpid()}-{target.name}")
    try:
        yield temporary
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def inspect(source: Path, poster: Path, max_duration_s: float | None, sha256: str | None) -> VideoProperties:
    """The file's properties, and its poster on the way. Raises VideoError."""
    video = probe(source, max_duration_s, sha256)
    write_poster(source, poster)
    return video


def main(words: Sequence[str] | None = None) -> int:
    """Exit status 2 and {"reason": …, "detail": …} on stdout for a file that gives no frames."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("inspect", "poster", "video"))
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--max-duration-s", type=float)
    parser.add_argument("--sha256")
    parser.add_argument("--memory-mb", type=int, help="what the process may take before requests for more fail")
    parser.add_argument("--seconds", type=float, default=0.0, help="when the kernel ends it; 0: never")
    given = parser.parse_args(words)
    if given.memory_mb:
        confine_memory(given.memory_mb)
    end_after(given.seconds)
    try:
        if given.what == "inspect":
            print(json.dumps(asdict(inspect(given.source, given.target, given.max_duration_s, given.sha256))))
        elif given.what == "poster":
            write_poster(given.source, given.target)
        else:
            os.nice(5)  # the analysis goes first
            write_preview(given.source, given.target)
    except VideoError as error:
        print(json.dumps({"reason": error.reason, "detail": error.detail}))
        return 2
    except MemoryError:
        print(json.dumps({"reason": Reason.UNREADABLE, "detail": f"{given.source.name} needs too much memory."}))
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
