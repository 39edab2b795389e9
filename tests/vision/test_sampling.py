from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detection.vision.sampling import MAX_WHOLE_FRAMES, SEGMENT_S, plan_samples


@pytest.mark.parametrize(
    ("rate", "every"), [(24, 2), (23.976, 2), (25, 2), (29.97, 3), (30, 3), (50, 5), (60, 6), (12, 1), (5, 1)]
)
def test_samples_are_a_whole_number_of_frames_apart(rate: float, every: int) -> None:
    assert plan_samples(10, rate).step_s == pytest.approx(every / rate)


def test_a_short_video_is_sampled_throughout() -> None:
    plan = plan_samples(10, 30)
    assert len(plan.segments) == 1
    assert (plan.segments[0].start_s, plan.segments[0].end_s) == (0, 10)
    assert plan.frames == 100


def test_a_long_video_is_seen_from_its_beginning_to_its_end() -> None:
    plan = plan_samples(7200, 25)
    assert plan.segments[0].start_s == 0
    assert plan.segments[-1].end_s == pytest.approx(7200)
    assert all(s.end_s - s.start_s == pytest.approx(SEGMENT_S) for s in plan.segments)
    gaps = [b.start_s - a.end_s for a, b in pairwise(plan.segments)]
    assert max(gaps) == pytest.approx(min(gaps))


@given(st.floats(0, 1e6), st.floats(allow_nan=True, allow_infinity=True))
def test_any_video_is_bounded(duration_s: float, rate: float) -> None:
    plan = plan_samples(duration_s, rate)
    assert 1 <= plan.frames <= MAX_WHOLE_FRAMES + 1
    assert plan.step_s > 0
    for span in plan.segments:
        assert 0 <= span.start_s < span.end_s
    for a, b in pairwise(plan.segments):
        assert a.end_s <= b.start_s
