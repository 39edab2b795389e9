"""The sampled frames of a video: decoded once, only the sampled ones converted, never more than a few in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from detection.records.schema import Span, VideoProperties
from detection.vision.sampling import SamplingPlan
from detection.vision.types import Frame, Image
from detection.vision.video import Orientation, decode, open_video, orientation_of, packets, square_pixel_size, start_s

JUMP_FROM_S = 10.0  # a gap that is worth a jump where the container has no index of all frames
JUMP_EARLY_S = 3.0  # … which then aims this much before the target
LATE_S = 10.0  # a time stamp this far beyond the end is damage


@dataclass(frozen=True)
class Sample:
    """One sampled frame, and the number of the plan's segment that it belongs to."""

    frame: Frame
    segment: int


class FrameReader:
    """Reads one video along a plan, once: `for sample in FrameReader(path, video, plan)`.

    Damage costs the frames that it touches; a file that ends early gives the frames up to there. `frames_decoded`
    counts what the decoder gave so far. Raises VideoError when the file cannot be opened.
    """

    def __init__(self, path: Path, video: VideoProperties, plan: SamplingPlan) -> None:
        self.frames_decoded = 0
        self._path, self._video, self._plan = path, video, plan

    def __iter__(self) -> Iterator[Sample]:
        with open_video(self._path) as (container, stream):
            run = _Run(container, stream, self._video, self._plan.step_s)
            index, orientation = -1, None
            for number, segment in enumerate(self._plan.segments):
                # The end that a file declares may be an estimate: what comes after it is read as well.
                is_to_end = segment.end_s >= self._video.duration_s - self._plan.step_s
                end_s = segment.end_s + LATE_S if is_to_end else segment.end_s
                for time_s, picture in run.segment(Span(segment.start_s, end_s)):
                    self.frames_decoded = run.frames_decoded
                    index = max(index + 1, round(time_s * self._video.frame_rate))
                    orientation = orientation or orientation_of(picture)
                    yield Sample(Frame(index, time_s, upright_rgb(stream, picture, orientation)), number)
            self.frames_decoded = run.frames_decoded


def upright_rgb(stream: VideoStream, picture: VideoFrame, orientation: Orientation) -> Image:
    """The picture as a player shows it: RGB (H, W, 3), square pixels, turned upright."""
    width, height = square_pixel_size(stream, picture)
    image = np.asarray(picture.to_ndarray(format="rgb24", width=width, height=height), np.uint8)
    if orientation == Orientation(mirror_x=True, mirror_y=True):
        return np.asarray(cv2.rotate(image, cv2.ROTATE_180), np.uint8)
    if orientation.transpose:
        image = np.asarray(cv2.transpose(image), np.uint8)
    if orientation.mirror_x:
        image = np.asarray(cv2.flip(image, 1), np.uint8)
    if orientation.mirror_y:
        image = np.asarray(cv2.flip(image, 0), np.uint8)
    return image


class _Run:
    """One pass through an open file, forward only."""

    def __init__(self, container: InputContainer, stream: VideoStream, video: VideoProperties, step_s: float) -> None:
        self.frames_decoded = 0
        self._container, self._stream, self._video, self._step_s = container, stream, video, step_s
        self._frame_s = 1 / video.frame_rate
        self._origin_s = start_s(container)
        self._segment = Span(0.0, 0.0)
        self._sampled_s: float | None = None  # the last sample of this segment
        self._expected_s = 0.0  # of the next frame, should it have no time stamp
        self._seen_s = -1.0
        self._pictures = self._decoded()
        self._held: tuple[float, VideoFrame] | None = None  # decoded, but beyond the segment that asked for it

    def segment(self, segment: Span) -> Iterator[tuple[float, VideoFrame]]:
        """The sampled pictures of one segment and their times."""
        self._segment, self._sampled_s = segment, None
        if (time_s := self._jump_to(segment.start_s)) is not None:
            self._jump(time_s)
        wanted_s = segment.start_s
        while (found := self._next()) is not None:
            time_s, picture = found
            if time_s > segment.end_s - self._frame_s / 2:
                self._held = found
                return
            if time_s >= wanted_s - self._frame_s / 2:
                # Counting on from the frame that was found, not from the plan, keeps the steps whole frames.
                self._sampled_s, wanted_s = time_s, time_s + self._step_s
                yield time_s, picture

    def _next(self) -> tuple[float, VideoFrame] | None:
        held, self._held = self._held, None
        return held or next(self._pictures, None)

    def _decoded(self) -> Iterator[tuple[float, VideoFrame]]:
        context = self._stream.codec_context
        for packet in packets(self._container, self._stream):
            context.skip_frame = "DEFAULT" if self._may_be_sampled(packet) else "NONREF"
            for picture in decode(packet):
                self.frames_decoded += 1
                yield self._time(picture), picture

    def _may_be_sampled(self, packet: Packet[VideoStream]) -> bool:
        """False for a frame that will not be sampled: if no other frame refers to it, it need not be decoded."""
        if self._video.variable_frame_rate or packet.pts is None or packet.time_base is None:
            return True
        time_s = float(packet.pts * packet.time_base) - self._origin_s
        if time_s < self._segment.start_s - self._frame_s:
            return False
        if self._sampled_s is None or time_s > self._segment.end_s:
            return True
        steps = (time_s - self._sampled_s) / self._step_s
        return abs(steps - round(steps)) * self._step_s < self._frame_s * 0.6

    def _time(self, picture: VideoFrame) -> float:
        """Seconds from 0:00. A missing, absurd or backward time stamp gives way to one frame after the last."""
        time_s = self._expected_s
        if picture.pts is not None and picture.time_base is not None:
            stamped_s = float(picture.pts * picture.time_base) - self._origin_s
            if self._seen_s < stamped_s <= self._video.duration_s + LATE_S:
                time_s = stamped_s
        time_s = max(0.0, time_s)
        self._seen_s, self._expected_s = time_s, time_s + self._frame_s
        return time_s

    def _jump_to(self, target_s: float) -> float | None:
        """The time to jump to so as to decode from `target_s` on; None where reading on is as good.

        A jump must not go back to a key frame that was passed already. Without an index of all frames, containers land
        somewhere near, often behind the key frame that is needed: then the jump goes for an earlier one.
        """
        entries, time_base = self._stream.index_entries, self._stream.time_base
        gap_s = target_s - self._expected_s
        if gap_s < 1 or time_base is None:
            return None
        found = entries.search_timestamp(int((target_s + self._origin_s) / time_base))
        if found >= 0 and float(entries[found].timestamp * time_base) - self._origin_s > self._expected_s:
            return target_s
        is_complete = 0 < self._stream.frames <= len(entries)
        return target_s - JUMP_EARLY_S if gap_s > JUMP_FROM_S and not is_complete else None

    def _jump(self, time_s: float) -> None:
        if self._stream.time_base is None:
            return
        try:
            stamp = int((time_s + self._origin_s) / self._stream.time_base)
            self._container.seek(stamp, stream=self._stream, backward=True)
        except (av.FFmpegError, OSError):
            return  # a file that cannot be searched is read on
        self._pictures, self._held = self._decoded(), None
        self._seen_s, self._expected_s = -1.0, time_s
