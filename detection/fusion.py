"""From what the modules say to one verdict per person and per video.

Rule for a video: it is as fake as its most fake person, among those seen often enough. A person counts from
`MIN_FRAMES` judged faces and a tenth of those of the most seen person, so that a passer-by does not decide. The
thresholds were fitted on clips of one person: of many genuine people one is called fake by chance more often.

Rule for several modules: a logistic regression over the logits of their calibrated scores, whose coefficients are
learned on held-out forgeries, one set for each combination of modules, and kept in `inference/assets/fusion.json`. A
combination without learned coefficients is not averaged: its first module in the registry's order decides, and the
others are shown beside it. Each combination has thresholds of its own, and a person whom some modules could not judge
is held against those of the modules that could.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from math import exp, inf, log
from typing import TypeVar

from detection.inference import weights
from detection.modules import MODULES
from detection.records.schema import (
    Analysis,
    ModuleOutcome,
    PersonOutcome,
    PersonScore,
    Reason,
    Thresholds,
    Verdict,
)
from detection.vision.quality import MIN_USABLE_FACES
from detection.vision.types import Observation

MIN_FRAMES = MIN_USABLE_FACES
MIN_SHARE = 0.1
ASSET = "fusion"
SUSPICION: tuple[Verdict, ...] = ("no_result", "real", "uncertain", "fake")
LOGIT_LIMIT = 1e-4  # scores nearer to 0 and 1 than this say no more


Judged = TypeVar("Judged", PersonScore, PersonOutcome)


@dataclass(frozen=True)
class Combination:
    """Coefficients for one set of modules: score = sigmoid(bias + Σ weight × logit(module's score)).

    `floors`: by module, the least logit that counts. Who looks for traces of a seam and finds none has little to say
    (`detection.training.fuse`).
    """

    weights: Mapping[str, float]
    bias: float
    thresholds: Thresholds
    floors: Mapping[str, float]

    def score(self, scores: Mapping[str, float]) -> float:
        said = (w * max(_logit(scores[key]), self.floors.get(key, -inf)) for key, w in self.weights.items())
        return 1 / (1 + exp(-self.bias - sum(said)))


@dataclass(frozen=True)
class Fused:
    """The verdict on a video. `score` is None exactly when `reason` is given."""

    score: float | None
    verdict: Verdict
    reason: Reason | None
    thresholds: Thresholds | None
    people: tuple[PersonOutcome, ...]


def fuse(outcomes: Mapping[str, ModuleOutcome], observation: Observation, portraits: Mapping[int, str]) -> Fused:
    """The modules' outcomes as one. `portraits`: path of each person's picture, by id."""
    deciding = tuple(key for key in MODULES if key in outcomes and outcomes[key].score is not None)
    people = []
    for person in observation.people:
        said = {key: p for key, outcome in outcomes.items() for p in outcome.people if p.id == person.id}
        judged = ((key, said[key].score) for key in deciding if key in said)
        score, thresholds = _combined({key: score for key, score in judged if score is not None}, outcomes)
        people.append(
            PersonOutcome(
                id=person.id,
                score=score,
                verdict=thresholds.verdict(score) if thresholds else "no_result",
                frames=max((p.frames for p in said.values()), default=0),
                spans=person.spans,
                portrait=portraits.get(person.id),
                reason=None if score is not None else _reason([*said.values(), *outcomes.values()]),
                modules={key: p.score for key, p in said.items()},
                thresholds=thresholds,
            )
        )
    decides = most_suspicious(people)
    return Fused(
        score=decides.score if decides else None,
        verdict=decides.verdict if decides else "no_result",
        reason=None if decides else _reason(outcomes.values()),
        thresholds=decides.thresholds if decides else _any_thresholds(outcomes.values()),
        people=tuple(people),
    )


def most_suspicious(people: Iterable[Judged]) -> Judged | None:
    """The person who decides on the video (the rule above); None when nobody counts.

    The verdict comes before the score: who was judged by fewer modules has other thresholds.
    """
    counted = seen_often_enough(people)
    return max(counted, key=lambda person: (SUSPICION.index(person.verdict), person.score), default=None)


def seen_often_enough(people: Iterable[Judged]) -> list[Judged]:
    """Those among whom the most suspicious is looked for: they were judged, and are no passers-by."""
    judged = [person for person in people if person.score is not None]
    enough = max(MIN_FRAMES, MIN_SHARE * max((person.frames for person in judged), default=0))
    return [person for person in judged if person.frames >= enough]


def deciding_person(analysis: Analysis) -> PersonOutcome | None:
    """The person whose verdict is the video's; None when nobody counts, and where an older rule made the record."""
    found = most_suspicious(analysis.people)
    return found if found and (found.score, found.verdict) == (analysis.score, analysis.verdict) else None


def _combined(
    scores: Mapping[str, float], outcomes: Mapping[str, ModuleOutcome]
) -> tuple[float | None, Thresholds | None]:
    """One person's score from those of the modules that judged this person, in the registry's order, and the
    thresholds that go with it.
    """
    if not scores:
        return None, None
    combination = combinations().get(frozenset(scores))
    if combination is None:
        first, score = next(iter(scores.items()))
        return score, outcomes[first].thresholds
    return combination.score(scores), combination.thresholds


def _any_thresholds(outcomes: Iterable[ModuleOutcome]) -> Thresholds | None:
    return next((outcome.thresholds for outcome in outcomes if outcome.thresholds), None)


@cache
def combinations() -> Mapping[frozenset[str], Combination]:
    """The learned combinations; none before fusion.json was made. Raises WeightsCorrupt when it is damaged."""
    if ASSET not in weights.manifest():
        return {}
    path = weights.verified_path(ASSET)
    try:
        return {
            frozenset(entry["weights"]): Combination(
                entry["weights"],
                float(entry["bias"]),
                Thresholds(entry["real_below"], entry["fake_from"]),
                entry["floors"],
            )
            for entry in json.loads(path.read_text(encoding="utf-8"))["combinations"]
        }
    except (ValueError, TypeError, KeyError) as error:
        raise weights.WeightsCorrupt(f"{path} does not hold coefficients ({error}). {weights.WAY_OUT}") from error


def _reason(said: Iterable[ModuleOutcome | PersonScore]) -> Reason:
    """Why there is no score: what the modules that could judge say, before what is wrong with a module."""
    reasons = [s.reason for s in said if s.reason is not None]
    of_the_video = [r for r in reasons if r is not Reason.MODULE_UNAVAILABLE]
    return next(iter(of_the_video or reasons), Reason.TOO_FEW_FRAMES)


def _logit(score: float) -> float:
    clipped = min(max(score, LOGIT_LIMIT), 1 - LOGIT_LIMIT)
    return log(clipped / (1 - clipped))
