"""Parts of a clip: one picture, or a stretch as a clip of its own for what would take too long on the whole."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import cv2
from numpy.typing import NDArray

from detection.records.schema import Reason
from relitalk.errors import RelightError
from relitalk.video import CRF, ClipFrame, ClipReader, ClipWriter

Array = NDArray[Any]

CRF_NEARLY_LOSSLESS = 8  # what is made of the copy is encoded once more


def write_stretch(
    video: Path,
    target: Path,
    *,
    start_s: float = 0.0,
    length_s: float | None = None,
    rate_hz: float | None = None,
    crf: int = CRF,
    step: Callable[[int], None] = lambda _: None,
) -> int:
    """The frames of `video` from `start_s` on, thinned to at least `rate_hz`, without its sound; how many there are.

    `step` is called with the number of frames written; it may raise to stop. Raises RelightError.
    """
    count = 0
    with ClipReader.open(video) as clip, ExitStack() as stack:
        every = max(1, int(float(clip.rate) / rate_hz)) if rate_hz else 1
        writer: ClipWriter | None = None
        first_pts = 0
        for position, frame in enumerate(_within(clip, start_s, length_s)):
            if position % every:
                continue
            image = frame.image
            if writer is None:
                first_pts, size = frame.pts, (image.shape[1], image.shape[0])
                form = replace(clip.format, rate=clip.rate / every, audio=None, start_s=0.0)
                writer = stack.enter_context(ClipWriter.open(target, form, size, {}, crf))
            if image.shape[:2] != (size[1], size[0]):
                image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
            writer.write(image, frame.pts - first_pts)
            count += 1
            step(count)
    if count == 0:
        raise RelightError(f"{video.name} has no picture at {start_s:.1f} s.", Reason.TOO_FEW_FRAMES)
    return count


def picture_at(video: Path, time_s: float) -> tuple[Array, float]:
    """The picture (H, W, 3) that is shown at `time_s`, the last one beyond the end; and its own time.

    Raises RelightError.
    """
    with ClipReader.open(video) as clip:
        _seek(clip, time_s)
        shown: ClipFrame | None = None
        for frame in clip.frames():
            if shown is not None and frame.time_s > time_s + 1e-6:
                break
            shown = frame
        assert shown is not None, "a reader without frames raises"
        return shown.image, shown.time_s


def _within(clip: ClipReader, start_s: float, length_s: float | None) -> Iterator[ClipFrame]:
    _seek(clip, start_s)
    for frame in clip.frames():
        if length_s is not None and frame.time_s >= start_s + length_s:
            return
        if frame.time_s >= start_s - 1e-6:
            yield frame


def _seek(clip: ClipReader, time_s: float) -> None:
    """To the key frame before `time_s`, where the file can be sought in; else it is read from its beginning."""
    if time_s > 0:
        with contextlib.suppress(av.FFmpegError):
            clip.container.seek(int((time_s + clip.start_s) * av.time_base))
