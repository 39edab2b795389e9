from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from detection.fusion import most_suspicious
from detection.records.schema import Analysis, PersonOutcome, RunRecord
from detection.records.uploads import Upload
from detection.web import result
from tests.web import samples


@pytest.fixture
def run(media: Path, upload: Upload) -> RunRecord:
    return samples.finished_run(media, upload, scores=(0.9, 0.1))


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


def test_the_most_suspicious_moment_of_the_most_suspicious_person_comes_first(run: RunRecord) -> None:
    frames = result.key_frames(run, run.analysis.modules.values())
    (first, second) = result.people_frames(frames, run.analysis)
    assert (first.person, second.person) == (1, 2)
    assert len(first.first) == result.SHOWN_FIRST
    assert "most_suspicious" in first.first[0].reasons
    assert len(first.in_order) == sum(frame.person == 1 for frame in frames)
    assert [frame.time_s for frame in first.others] == sorted(frame.time_s for frame in first.others)


def test_a_highest_score_names_its_module(media: Path, upload: Upload) -> None:
    run = samples.finished_run(media, upload, modules=("space", "feature"))
    frames = result.key_frames(run, run.analysis.modules.values())
    highest = [frame for frame in frames if "most_suspicious" in frame.reasons]
    assert highest
    for frame in highest:
        assert [f"highest score of {name}" in frame.why for name in ("Space", "Feature")] == [True, True]
        assert "highest score of all judged frames" not in frame.why


def test_the_best_of_a_stretch_is_said_only_where_nothing_else_is(run: RunRecord) -> None:
    frames = result.key_frames(run, run.analysis.modules.values())
    assert all(frame.reasons for frame in frames)
    assert not [frame for frame in frames if "best_of_stretch" in frame.reasons and len(frame.reasons) > 1]


def test_pictures_that_no_module_gave_are_named(run: RunRecord) -> None:
    frames = result.key_frames(run, run.analysis.modules.values())
    assert [str(title) for title in result.missing_pictures(frames)] == ["Blending boundary", "Where the model looked"]


def several(run: RunRecord, *people: PersonOutcome) -> Analysis:
    """The run's analysis with these people, fused as the pipeline does it."""
    decides = most_suspicious(people)
    return replace(run.analysis, people=people, score=decides.score, verdict=decides.verdict)


def decided(run: RunRecord, analysis: Analysis) -> list[tuple[int, bool]]:
    return [(card.outcome.id, card.decides) for card in result.person_cards(run, analysis)]


def test_the_person_who_decides_comes_first(run: RunRecord) -> None:
    first, second = run.analysis.people
    found = several(run, replace(first, score=0.1, verdict="real"), replace(second, score=0.9, verdict="fake"))
    assert decided(run, found) == [(2, True), (1, False)]


def test_of_two_with_the_same_score_the_one_seen_often_enough_decides(run: RunRecord) -> None:
    first, second = run.analysis.people
    passer_by = replace(first, score=0.9, verdict="fake", frames=3)
    found = several(run, passer_by, replace(second, score=0.9, verdict="fake"))
    assert decided(run, found) == [(2, True), (1, False)]


def test_the_worse_verdict_comes_before_the_higher_score(run: RunRecord) -> None:
    """Who was judged by fewer modules has other thresholds."""
    first, second = run.analysis.people
    found = several(run, replace(first, score=0.5, verdict="uncertain"), replace(second, score=0.4, verdict="fake"))
    assert decided(run, found) == [(2, True), (1, False)]
    frames = result.key_frames(run, found.modules.values())
    assert [each.person for each in result.people_frames(frames, found)] == [2, 1]


def test_of_a_record_that_an_older_rule_made_nobody_is_said_to_decide(run: RunRecord) -> None:
    first, second = run.analysis.people
    passer_by = replace(first, score=0.99, verdict="fake", frames=3)
    older = replace(run.analysis, people=(passer_by, second), score=0.99, verdict="fake")
    assert not any(decides for _, decides in decided(run, older))


def test_a_module_that_did_not_judge_a_person_is_named_on_the_card(run: RunRecord) -> None:
    silent = replace(run.analysis.modules["space"], key="feature", people=(), reason="too_few_frames")
    analysis = replace(run.analysis, modules={**run.analysis.modules, "feature": silent})
    modules = result.person_cards(run, analysis)[0].modules
    assert [(each.key, each.score is None, each.reason) for each in modules] == [
        ("space", False, None),
        ("feature", True, "too_few_frames"),
    ]
