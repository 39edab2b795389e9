"""Still pictures, one after the other, as a video that every browser plays."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
from av.video.frame import VideoFrame

from detection.vision.preview import replacing
from detection.vision.types import Image

RATE = 4  # frames a second: nothing moves, but players seek in frames


def write_slideshow(slides: Iterable[Image], target: Path, seconds_each: float) -> int:
    """RGB pictures (H, W, 3), all of one size with even sides, as H.264 in an MP4 whose index comes first.

    Only one picture is in memory at a time. Every picture begins with a frame of its own that a player can jump to.
    Gives their number; raises ValueError where there is none, and then writes nothing.
    """
    frames_each = max(1, round(RATE * seconds_each))
    count = 0
    options = {"movflags": "+faststart"}
    with replacing(target) as temporary, av.open(str(temporary), "w", format="mp4", options=options) as output:
        stream = output.add_stream("libx264", rate=RATE, options={"preset": "veryfast", "crf": "20"})
        stream.pix_fmt = "yuv420p"
        stream.codec_context.gop_size = frames_each
        for slide in slides:
            if count == 0:
                stream.height, stream.width = slide.shape[:2]
            frame = VideoFrame.from_ndarray(slide, format="rgb24").reformat(format="yuv420p")
            for number in range(frames_each):
                frame.pts, frame.time_base = count * frames_each + number, Fraction(1, RATE)
                output.mux(stream.encode(frame))
            count += 1
        if count == 0:
            raise ValueError("There is no picture to show.")
        output.mux(stream.encode(None))
    return count
