from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from detection.records.schema import RunRecord
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


def test_the_person_who_decides_comes_first(run: RunRecord) -> None:
    people = (replace(run.analysis.people[0], score=0.1), replace(run.analysis.people[1], score=0.9))
    cards = result.person_cards(run, replace(run.analysis, people=people))
    assert [(card.outcome.id, card.decides) for card in cards] == [(2, True), (1, False)]


def test_a_module_that_did_not_judge_a_person_is_named_on_the_card(run: RunRecord) -> None:
    silent = replace(run.analysis.modules["space"], key="feature", people=(), reason="too_few_frames")
    analysis = replace(run.analysis, modules={**run.analysis.modules, "feature": silent})
    modules = result.person_cards(run, analysis)[0].modules
    assert [(each.key, each.score is None, each.reason) for each in modules] == [
        ("space", False, None),
        ("feature", True, "too_few_frames"),
    ]
