from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from detection import fusion
from detection.fusion import fuse, most_suspicious
from detection.inference import weights
from detection.inference.weights import Asset
from detection.records.schema import ModuleOutcome, PersonScore, Reason, Span, Thresholds, VideoProperties
from detection.vision.types import Observation, Person

HERE = Thresholds(0.3, 0.6)
VIDEO = VideoProperties("v.mp4", "0", 1, "mp4", "h264", 640, 360, 0, 25.0, False, 10.0, 250, None)


def observed(people: int) -> Observation:
    return Observation(VIDEO, tuple(Person(i + 1, (), (Span(0, 9),), ()) for i in range(people)), 250, 125)


def outcome(key: str, *scores: float | None, frames: int = 100, thresholds: Thresholds = HERE) -> ModuleOutcome:
    people = tuple(said(score, frames, thresholds, i) for i, score in enumerate(scores, 1))
    decides = most_suspicious(people)
    video = decides.score if decides else None
    reason = None if decides else Reason.TOO_FEW_FRAMES
    return ModuleOutcome(key, video, thresholds.verdict(video), reason, thresholds, people)


def said(score: float | None, frames: int, thresholds: Thresholds = HERE, number: int = 1) -> PersonScore:
    reason = Reason.TOO_FEW_FRAMES if score is None else None
    return PersonScore(number, score, thresholds.verdict(score), frames, reason)


def decisive(*people: tuple[float | None, int]) -> float | None:
    found = most_suspicious([said(*person) for person in people])
    return found.score if found else None


UNAVAILABLE = ModuleOutcome("dark", None, "no_result", Reason.MODULE_UNAVAILABLE)


def test_a_video_is_as_fake_as_its_most_fake_person() -> None:
    assert decisive((0.2, 100), (0.9, 80), (0.5, 90)) == 0.9


def test_a_passer_by_does_not_decide() -> None:
    assert decisive((0.2, 100), (0.9, 9)) == 0.2
    assert decisive((0.2, 20), (0.9, 2)) == 0.2
    assert decisive((0.2, 100), (0.9, 10)) == 0.9


def test_nobody_judged_no_score() -> None:
    assert decisive() is None
    assert decisive((None, 0), (None, 50)) is None
    assert decisive((0.9, 2)) is None


def test_one_module_passes_through() -> None:
    said = outcome("bright", 0.7, 0.1)
    fused = fuse({"bright": said}, observed(2), {1: "portraits/1.jpg"})
    assert (fused.score, fused.verdict, fused.thresholds, fused.reason) == (said.score, "fake", HERE, None)
    assert [(p.id, p.score, p.verdict, p.portrait) for p in fused.people] == [
        (1, 0.7, "fake", "portraits/1.jpg"),
        (2, 0.1, "real", None),
    ]


def test_a_person_who_was_not_judged_has_a_reason_and_no_score() -> None:
    fused = fuse({"bright": outcome("bright", 0.7, None)}, observed(2), {})
    assert fused.people[1].score is None
    assert fused.people[1].verdict == "no_result"
    assert fused.people[1].reason is Reason.TOO_FEW_FRAMES


def test_without_a_judging_module_the_reason_is_the_videos_before_the_modules() -> None:
    fused = fuse({"dark": UNAVAILABLE}, observed(1), {})
    assert (fused.score, fused.verdict, fused.reason) == (None, "no_result", Reason.MODULE_UNAVAILABLE)
    fused = fuse({"dark": UNAVAILABLE, "bright": outcome("bright", None)}, observed(1), {})
    assert fused.reason is Reason.TOO_FEW_FRAMES


def test_without_coefficients_the_first_module_of_the_registry_decides() -> None:
    said = {"dark": outcome("dark", 0.9), "bright": outcome("bright", 0.2)}
    fused = fuse(said, observed(1), {})
    assert (fused.score, fused.verdict) == (0.2, "real")
    assert fused.people[0].modules == {"dark": 0.9, "bright": 0.2}


@pytest.fixture
def learned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Coefficients as a calibration writes them, for bright and dark together."""
    entry = {"weights": {"bright": 1.5, "dark": 0.5}, "floors": {"dark": -1.0}, "bias": -0.4}
    entry |= {"real_below": 0.25, "fake_from": 0.55}
    (tmp_path / "fusion.json").write_text(json.dumps({"combinations": [entry]}))
    digest = weights.sha256_of(tmp_path / "fusion.json")
    asset = Asset("fusion", "fusion.json", digest, "coefficients", "calibration", "Apache-2.0")
    monkeypatch.setattr(weights, "ASSETS", tmp_path)
    monkeypatch.setattr(weights, "MANIFEST", tmp_path / "manifest.json")
    weights.verified_path.cache_clear()
    weights.enrol(asset)
    fusion.combinations.cache_clear()
    yield
    monkeypatch.undo()
    weights.verified_path.cache_clear()
    fusion.combinations.cache_clear()


@pytest.mark.usefixtures("learned")
def test_with_coefficients_it_is_a_logistic_regression_over_logits() -> None:
    said = {"bright": outcome("bright", 0.8, 0.3), "dark": outcome("dark", 0.4, 0.6)}
    fused = fuse(said, observed(2), {})
    for person, (a, b) in zip(fused.people, ((0.8, 0.4), (0.3, 0.6)), strict=True):
        logit = 1.5 * np.log(a / (1 - a)) + 0.5 * np.log(b / (1 - b)) - 0.4
        assert person.score == pytest.approx(1 / (1 + np.exp(-logit)))
    assert fused.score == max(p.score for p in fused.people if p.score is not None)
    assert fused.thresholds == Thresholds(0.25, 0.55)


@pytest.mark.usefixtures("learned")
def test_a_module_that_found_no_trace_says_no_more_than_its_floor() -> None:
    scores = [
        fuse({"bright": outcome("bright", 0.8), "dark": outcome("dark", s)}, observed(1), {}).score
        for s in (0.26, 0.01)
    ]
    at_floor = 1.5 * np.log(0.8 / 0.2) + 0.5 * -1.0 - 0.4
    assert scores[1] == pytest.approx(1 / (1 + np.exp(-at_floor)))
    assert scores[0] == pytest.approx(scores[1], abs=0.01)


@pytest.mark.usefixtures("learned")
def test_certain_scores_do_not_overflow() -> None:
    fused = fuse({"bright": outcome("bright", 1.0), "dark": outcome("dark", 0.0)}, observed(1), {})
    assert fused.score is not None
    assert 0.9 < fused.score < 1.0


@pytest.mark.usefixtures("learned")
def test_a_combination_that_was_not_learned_falls_back() -> None:
    fused = fuse({"bright": outcome("bright", 0.8)}, observed(1), {})
    assert (fused.score, fused.thresholds) == (0.8, HERE)


def test_damaged_coefficients_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "fusion.json").write_text('{"combinations": [{"bias": 1}]}')
    monkeypatch.setattr(weights, "manifest", lambda: {"fusion": None})
    monkeypatch.setattr(weights, "verified_path", lambda name: tmp_path / "fusion.json")
    fusion.combinations.cache_clear()
    with pytest.raises(weights.WeightsCorrupt, match=r"fusion\.json"):
        fusion.combinations()
    fusion.combinations.cache_clear()


@pytest.mark.usefixtures("learned")
def test_a_person_is_held_against_the_thresholds_of_the_modules_that_judged_them() -> None:
    """Bright alone is sure of less: its verdict stands, although the score of the other person is higher."""
    alone = Thresholds(0.1, 0.2)
    outcomes = {"bright": outcome("bright", 0.25, 0.62, thresholds=alone), "dark": outcome("dark", None, 0.5)}
    fused = fuse(outcomes, observed(2), {})
    first, second = fused.people
    assert (first.score, first.verdict, first.thresholds) == (0.25, "fake", alone)
    assert second.score == pytest.approx(0.58, abs=0.02)
    assert (second.verdict, second.thresholds) == ("fake", Thresholds(0.25, 0.55))

    outcomes["bright"] = outcome("bright", 0.25, 0.55, thresholds=alone)
    fused = fuse(outcomes, observed(2), {})
    assert fused.people[1].verdict == "uncertain"
    assert fused.people[1].score > 0.25
    assert (fused.score, fused.verdict, fused.thresholds) == (0.25, "fake", alone), "the worse verdict decides"
