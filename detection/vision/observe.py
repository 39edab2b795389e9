"""A video in, its people out: the one door to vision for whatever analyses faces over time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from detection.records.schema import Reason, VideoProperties
from detection.vision.cuts import CutDetector
from detection.vision.faces import FoundFace
from detection.vision.following import FaceFollower
from detection.vision.people import Gallery
from detection.vision.prefetch import ahead
from detection.vision.reading import FrameReader
from detection.vision.sampling import SamplingPlan, plan_samples
from detection.vision.types import Frame, Observation
from detection.vision.video import VideoError, measured_duration_s

MAX_AHEAD = 3  # frames that wait for the next stage
MAX_AHEAD_BYTES = 32 * 1024**2

Progress = Callable[[int, int], None]


def observe(path: Path, video: VideoProperties, progress: Progress) -> Observation:
    """Reads the video once and follows the faces in it; a video without faces has `people` ().

    `video` is what `video.probe` says of the file; `progress(done, total)` counts sampled frames and may raise to stop.
    A file that is much shorter than it declares (cut off, or made to look so) is read again along a plan of its true
    length: most of the first plan's segments lay behind its end. Raises VideoError when no frame can be read.
    """
    plan = plan_samples(video.duration_s, video.frame_rate)
    observation = _observe(path, video, plan, progress)
    if len(plan.segments) > 1 and observation.frames_analysed < plan.frames / 2:
        duration_s = measured_duration_s(path, video.frame_rate)
        if duration_s < video.duration_s:
            video = replace(video, duration_s=duration_s)
            return _observe(path, video, plan_samples(duration_s, video.frame_rate), progress)
    return observation


def _observe(path: Path, video: VideoProperties, plan: SamplingPlan, progress: Progress) -> Observation:
    reader, gallery = FrameReader(path, video, plan), Gallery()
    depth = max(1, min(MAX_AHEAD, MAX_AHEAD_BYTES // (video.width * video.height * 3)))
    count = 0
    # Three things at once: decoding, following, and measuring with recognition; each at most `depth` frames ahead.
    with closing(ahead(_followed(reader, depth), depth)) as followed:
        for frame, faces in followed:
            gallery.add(count, frame, faces)
            count += 1
            progress(min(count, plan.frames), plan.frames)
    if not count:
        raise VideoError(
            Reason.UNREADABLE, f"{path.name} has no frame that can be read. Copy it again, or export it anew."
        )
    return Observation(video, gallery.people(plan.step_s), reader.frames_decoded, count)


def _followed(reader: FrameReader, depth: int) -> Iterator[tuple[Frame, list[tuple[int, FoundFace]]]]:
    """The sampled frames, each with its faces by track. A gap between segments ends the tracks as a cut does."""
    cuts, follower, segment = CutDetector(), FaceFollower(), -1
    with closing(ahead(reader, depth)) as samples:
        for sample in samples:
            new_shot = cuts.is_cut(sample.frame.image) or sample.segment != segment
            segment = sample.segment
            yield sample.frame, follower.step(sample.frame.image, new_shot)
