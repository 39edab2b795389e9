"""A video in, its people out: the one door to vision for whatever analyses faces over time."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from detection.records.schema import Reason, VideoProperties
from detection.vision.cuts import CutDetector
from detection.vision.following import FaceFollower
from detection.vision.people import Gallery
from detection.vision.prefetch import ahead
from detection.vision.reading import FrameReader
from detection.vision.sampling import plan_samples
from detection.vision.types import Observation
from detection.vision.video import VideoError

MAX_AHEAD = 4  # decoded frames that wait to be looked at
MAX_AHEAD_BYTES = 64 * 1024**2

Progress = Callable[[int, int], None]


def observe(path: Path, video: VideoProperties, progress: Progress) -> Observation:
    """Reads the video once and follows the faces in it; a video without faces has `people` ().

    `video` is what `video.probe` says of the file; `progress(done, total)` counts sampled frames and may raise to stop.
    Raises VideoError when no frame can be read.
    """
    plan = plan_samples(video.duration_s, video.frame_rate)
    reader = FrameReader(path, video, plan)
    cuts, follower, gallery = CutDetector(), FaceFollower(), Gallery()
    frame_bytes = video.width * video.height * 3
    depth = max(1, min(MAX_AHEAD, MAX_AHEAD_BYTES // frame_bytes))
    count, segment = 0, -1
    with closing(ahead(reader, depth)) as samples:
        for sample in samples:
            image = sample.frame.image
            new_shot = cuts.is_cut(image) or sample.segment != segment
            segment = sample.segment
            gallery.add(count, sample.frame, follower.step(image, new_shot))
            count += 1
            progress(min(count, plan.frames), plan.frames)
    if not count:
        raise VideoError(
            Reason.UNREADABLE, f"{path.name} has no frame that can be read. Copy it again, or export it anew."
        )
    return Observation(video, gallery.people(plan.step_s), reader.frames_decoded, count)
