"""What all modules do alike once they have a logit per person: probability, verdict, outcome."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from detection.fusion import most_suspicious
from detection.inference.calibration import Calibration
from detection.inference.weights import asset
from detection.records.schema import Course, Deviation, Evidence, FrameScore, ModuleOutcome, PersonScore, Reason


def judge(person: int, logit: float | None, frames: int, calibration: Calibration) -> PersonScore:
    """One person's score from a module's logit over `frames` judged faces; None: too few to judge by."""
    if logit is None:
        return PersonScore(person, None, "no_result", frames, Reason.TOO_FEW_FRAMES)
    score = calibration.probability(logit)
    return PersonScore(person, score, calibration.thresholds.verdict(score), frames)


def outcome(
    key: str,
    people: Sequence[PersonScore],
    calibration: Calibration,
    assets: Iterable[str],
    *,
    timeline: Sequence[FrameScore] = (),
    evidence: Sequence[Evidence] = (),
    deviations: Sequence[Deviation] = (),
    courses: Sequence[Course] = (),
) -> ModuleOutcome:
    """A module's outcome for a video. `assets`: names in the manifest of the files that made it."""
    decides = most_suspicious(people)
    return ModuleOutcome(
        key,
        decides.score if decides else None,
        decides.verdict if decides else "no_result",
        None if decides else Reason.TOO_FEW_FRAMES,
        calibration.thresholds,
        tuple(people),
        tuple(timeline),
        tuple(evidence),
        tuple(deviations),
        courses=tuple(courses),
        versions={name: asset(name).sha256[:12] for name in assets},
    )
