from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from detection.records.schema import Analysis, FrameScore, ModuleOutcome, RunRecord, Span
from detection.records.uploads import Upload
from detection.web import timelines
from tests.web import samples


@pytest.fixture
def run(media: Path, upload: Upload) -> RunRecord:
    return samples.finished_run(media, upload, scores=(0.9, 0.1))


def with_timeline(analysis: Analysis, points: list[FrameScore]) -> Analysis:
    outcome = replace(analysis.modules["space"], timeline=tuple(points))
    return replace(analysis, modules={"space": outcome})


def points(person: int, scores: list[float], step_s: float = 0.5) -> list[FrameScore]:
    return [FrameScore(person, index, index * step_s, score) for index, score in enumerate(scores)]


def test_a_long_video_with_few_scores_has_moments_too(run: RunRecord) -> None:
    analysis = with_timeline(run.analysis, points(1, [0.1, 0.9, 0.8, 0.1, 0.1, 0.9], step_s=20))
    assert [(m.start_s, m.end_s) for m in timelines.moments(analysis)] == [(20, 40), (100, 100)]


def test_high_scores_next_to_each_other_are_one_moment(run: RunRecord) -> None:
    analysis = with_timeline(run.analysis, points(1, [0.1, 0.8, 0.9, 0.1, 0.1, 0.1, 0.95, 0.1]))
    moments = timelines.moments(analysis)
    assert [(m.start_s, m.end_s, m.score) for m in moments] == [(3.0, 3.0, 0.95), (0.5, 1.0, 0.9)]


def test_people_do_not_share_a_moment(run: RunRecord) -> None:
    analysis = with_timeline(run.analysis, points(1, [0.9, 0.9]) + points(2, [0.8, 0.8]))
    assert [(m.person, m.score) for m in timelines.moments(analysis)] == [(1, 0.9), (2, 0.8)]


def test_without_high_scores_the_highest_are_shown_with_their_true_verdict(run: RunRecord) -> None:
    analysis = with_timeline(run.analysis, points(1, [0.1, 0.01, 0.2, 0.01, 0.3, 0.05], step_s=5))
    moments = timelines.moments(analysis)
    assert [m.score for m in moments] == [0.3, 0.2, 0.1]
    assert {m.verdict for m in moments} == {"real"}


def test_the_timeline_has_the_thresholds_and_a_line_per_person(run: RunRecord) -> None:
    data = timelines.timeline(run.analysis)["modules"]["space"]
    assert (data["realBelow"], data["fakeFrom"]) == (0.35, 0.65)
    assert set(data["people"]) == {1, 2}
    assert data["people"][1]["times"] == sorted(data["people"][1]["times"])


def test_a_module_without_scores_has_no_line(run: RunRecord) -> None:
    silent = replace(run.analysis, modules={"space": ModuleOutcome("space", None, "no_result")})
    assert timelines.timeline(silent)["modules"] == {}
    assert timelines.moments(silent) == []


def test_modules_that_judge_no_single_frames_are_named(run: RunRecord) -> None:
    whole = replace(run.analysis.modules["space"], key="feature", timeline=())
    none = ModuleOutcome("blend", None, "no_result")
    analysis = replace(run.analysis, modules={**run.analysis.modules, "feature": whole, "blend": none})
    assert timelines.without_timeline(analysis) == ["feature"]


def test_lanes_show_when_a_person_is_to_be_seen(run: RunRecord) -> None:
    person = replace(run.analysis.people[0], spans=(Span(0.0, 2.5), Span(5.0, 10.0)))
    ((number, bars),) = timelines.lanes(replace(run.analysis, people=(person,)))
    assert number == 1
    assert [(bar.x, bar.width) for bar in bars] == [("0.00%", "25.00%"), ("50.00%", "50.00%")]
    assert timelines.lanes(replace(run.analysis, duration_s=None)) == []
