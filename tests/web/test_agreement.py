from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from detection.records.schema import Analysis, ModuleOutcome, PersonScore, Reason, Verdict
from detection.records.uploads import Upload
from detection.web.agreement import agreement
from tests.web import samples

SCORES: dict[Verdict, float] = {"fake": 0.9, "uncertain": 0.5, "real": 0.1}


@pytest.fixture
def analysis(media: Path, upload: Upload) -> Analysis:
    found = samples.finished_run(media, upload).analysis
    assert found is not None
    return found


def said(analysis: Analysis, **verdicts: Verdict) -> Analysis:
    modules = {key: ModuleOutcome(key, SCORES.get(verdict), verdict) for key, verdict in verdicts.items()}
    return replace(analysis, modules=modules)


@pytest.mark.parametrize(
    ("space", "feature", "kind"),
    [
        ("fake", "fake", "agree"),
        ("fake", "real", "contradict"),
        ("fake", "uncertain", "differ"),
        ("uncertain", "uncertain", "undecided"),  # nobody would call that agreeing
        ("real", "no_result", "alone"),
    ],
)
def test_it_is_said_in_words(analysis: Analysis, space: Verdict, feature: Verdict, kind: str) -> None:
    assert agreement(said(analysis, space=space, feature=feature)).kind == kind


def test_without_scores_there_is_nothing_to_compare(analysis: Analysis) -> None:
    assert agreement(said(analysis, space="no_result")) is None


def test_a_silent_module_is_named_with_its_reason(analysis: Analysis) -> None:
    blend = ModuleOutcome("blend", None, "no_result", Reason.MODULE_UNAVAILABLE)
    found = agreement(replace(analysis, modules={**analysis.modules, "blend": blend}))
    assert found.silent == ("Blend: The module is not available here.",)


def test_it_is_said_when_modules_suspect_different_people(analysis: Analysis) -> None:
    def outcome(key: str, first: float, second: float) -> ModuleOutcome:
        people = (PersonScore(1, first, "fake", 20), PersonScore(2, second, "fake", 20))
        return ModuleOutcome(key, max(first, second), "fake", people=people)

    different = replace(
        analysis, modules={"space": outcome("space", 0.9, 0.8), "feature": outcome("feature", 0.7, 0.9)}
    )
    assert "They do not point at the same person (Space: Person 1 · Feature: Person 2)." in agreement(different).text
    same = replace(analysis, modules={"space": outcome("space", 0.9, 0.8), "feature": outcome("feature", 0.9, 0.7)})
    assert "same person" not in agreement(same).text


def test_a_passer_by_is_nobody_s_suspect(analysis: Analysis) -> None:
    """Who was not seen often enough to decide does not make the modules point at different people."""
    space = ModuleOutcome(
        "space", 0.8, "fake", people=(PersonScore(1, 0.8, "fake", 90), PersonScore(2, 0.9, "fake", 3))
    )
    feature = ModuleOutcome("feature", 0.7, "fake", people=(PersonScore(1, 0.7, "fake", 90), *space.people[1:]))
    blend = replace(feature, key="blend", people=(PersonScore(1, 0.7, "fake", 90), PersonScore(2, 0.1, "real", 3)))
    found = agreement(replace(analysis, modules={"space": space, "feature": feature, "blend": blend}))
    assert found.kind == "agree"
    assert "same person" not in found.text
