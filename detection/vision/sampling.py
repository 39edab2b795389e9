"""Which frames of a video are looked at: densely enough to see motion, never more than a fixed number in all."""

from __future__ import annotations

from dataclasses import dataclass

from detection.records.schema import Span

LOWEST_RATE_HZ = 9.5  # a blink lasts 0.1 to 0.4 s
MAX_FRAMES = 250
MAX_WHOLE_FRAMES = 300  # up to here the gaps between segments would be too short to save anything
SEGMENT_S = 2.0
MIN_SEGMENT_FRAMES = 20  # of a slow video a segment lasts longer

ASSUMED_RATE_HZ = 25.0
PLAUSIBLE_RATES_HZ = (0.1, 1000.0)


@dataclass(frozen=True)
class SamplingPlan:
    """One frame every `step_s` in each of `segments`, which are in order of time and do not touch."""

    step_s: float
    segments: tuple[Span, ...]

    @property
    def frames(self) -> int:
        """How many frames the plan asks for, at least 1."""
        return max(1, sum(round((s.end_s - s.start_s) / self.step_s) for s in self.segments))


def plan_samples(duration_s: float, frame_rate_hz: float) -> SamplingPlan:
    """A short video is sampled throughout; of a longer one as many segments as MAX_FRAMES allow, evenly spread.

    Samples are a whole number of frames apart, so that neighbours are equally far apart in time, and as far apart as
    LOWEST_RATE_HZ allows: every second frame at 24 and 25 frames/s, every third at 30, every sixth at 60.
    """
    low, high = PLAUSIBLE_RATES_HZ
    rate = frame_rate_hz if low <= frame_rate_hz <= high else ASSUMED_RATE_HZ
    step_s = max(1, int(rate / LOWEST_RATE_HZ)) / rate
    duration_s = max(duration_s, step_s)
    if duration_s <= MAX_WHOLE_FRAMES * step_s:
        return SamplingPlan(step_s, (Span(0.0, duration_s),))
    length_s = max(SEGMENT_S, MIN_SEGMENT_FRAMES * step_s)
    count = max(1, int(MAX_FRAMES * step_s / length_s))
    gap_s = (duration_s - length_s) / max(1, count - 1)
    return SamplingPlan(step_s, tuple(Span(i * gap_s, i * gap_s + length_s) for i in range(count)))
