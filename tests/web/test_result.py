from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from detection.records.schema import Analysis, Deviation, FrameScore, ModuleOutcome, RunRecord
from detection.records.uploads import Upload
from detection.web import result
from tests.web import samples


@pytest.fixture
def run(media: Path, upload: Upload) -> RunRecord:
    return samples.finished_run(media, upload, scores=(0.9, 0.1))


def with_timeline(analysis: Analysis, points: list[FrameScore]) -> Analysis:
    outcome = replace(analysis.modules["space"], timeline=tuple(points))
    return replace(analysis, modules={"space": outcome})


def points(person: int, scores: list[float], step_s: float = 0.5) -> list[FrameScore]:
    return [FrameScore(person, index, index * step_s, score) for index, score in enumerate(scores)]


def test_pictures_of_one_moment_belong_together(run: RunRecord) -> None:
    frames = result.key_frames(run, run.analysis.modules.values())
    assert [len(frame.pictures) for frame in frames] == [2] * len(frames)
    assert [frame.pictures[0].words.title for frame in frames] == ["The frame"] * len(frames)
    assert {each.module for frame in frames for each in frame.verdicts} == {"space"}
    assert [(f.person, f.time_s) for f in frames] == sorted((f.person, f.time_s) for f in frames)
    assert {frame.person for frame in frames} == {1, 2}


def test_a_picture_that_two_modules_name_is_shown_once(media: Path, upload: Upload) -> None:
    run = samples.finished_run(media, upload, modules=("space", "feature"))
    frame = result.key_frames(run, run.analysis.modules.values())[0]
    assert [picture.words.title for picture in frame.pictures] == [
        "The frame",
        "Manipulated region",
        "Manipulated region",
    ]
    assert [each.module for each in frame.verdicts] == ["space", "feature"]


def test_a_long_video_with_few_scores_has_moments_too(run: RunRecord) -> None:
    analysis = with_timeline(run.analysis, points(1, [0.1, 0.9, 0.8, 0.1, 0.1, 0.9], step_s=20))
    assert [(m.start_s, m.end_s) for m in result.moments(analysis)] == [(20, 40), (100, 100)]


def test_high_scores_next_to_each_other_are_one_moment(run: RunRecord) -> None:
    analysis = with_timeline(run.analysis, points(1, [0.1, 0.8, 0.9, 0.1, 0.1, 0.1, 0.95, 0.1]))
    moments = result.moments(analysis)
    assert [(m.start_s, m.end_s, m.score) for m in moments] == [(3.0, 3.0, 0.95), (0.5, 1.0, 0.9)]


def test_people_do_not_share_a_moment(run: RunRecord) -> None:
    analysis = with_timeline(run.analysis, points(1, [0.9, 0.9]) + points(2, [0.8, 0.8]))
    assert [(m.person, m.score) for m in result.moments(analysis)] == [(1, 0.9), (2, 0.8)]


def test_without_high_scores_the_highest_are_shown_with_their_true_verdict(run: RunRecord) -> None:
    analysis = with_timeline(run.analysis, points(1, [0.1, 0.01, 0.2, 0.01, 0.3, 0.05], step_s=5))
    moments = result.moments(analysis)
    assert [m.score for m in moments] == [0.3, 0.2, 0.1]
    assert {m.verdict for m in moments} == {"real"}


def test_the_timeline_has_the_thresholds_and_a_line_per_person(run: RunRecord) -> None:
    data = result.timeline(run.analysis)["modules"]["space"]
    assert (data["realBelow"], data["fakeFrom"]) == (0.35, 0.65)
    assert set(data["people"]) == {1, 2}
    assert data["people"][1]["times"] == sorted(data["people"][1]["times"])


def test_a_module_without_scores_has_no_line(run: RunRecord) -> None:
    silent = replace(run.analysis, modules={"space": ModuleOutcome("space", None, "no_result")})
    assert result.timeline(silent)["modules"] == {}
    assert result.moments(silent) == []


def test_what_deviates_comes_first() -> None:
    inside = Deviation("a", 1, 5.0, 0.0, 10.0, "")
    outside = Deviation("b", 1, 20.0, 0.0, 10.0, "", (0.0, 1.0), (20.0, 0.0))
    cards = result.deviation_cards(ModuleOutcome("feature", None, "no_result", deviations=(inside, outside)))
    assert [card.deviation.feature for card in cards] == ["b", "a"]
    assert cards[0].points == "0.00,0.00 100.00,100.00"
    assert float(cards[0].value_x[:-1]) > float(cards[0].genuine_x[:-1]) + float(cards[0].genuine_width[:-1])


def test_a_range_without_width_can_be_drawn() -> None:
    card = result.deviation_cards(
        ModuleOutcome("feature", None, "no_result", deviations=(Deviation("a", 1, 0.0, 0.0, 0.0, ""),))
    )[0]
    assert card.value_x.endswith("%")
