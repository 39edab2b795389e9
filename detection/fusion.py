"""From what the modules say to one verdict per person and per video.

Rule for a video: it is as fake as its most fake person, among those seen often enough. A person counts from
`MIN_FRAMES` judged faces and a tenth of those of the most seen person, so that a passer-by does not decide. The
thresholds were fitted on clips of one person: of many genuine people one is called fake by chance more often.

Rule for several modules: a logistic regression over the logits of their calibrated scores, whose coefficients are
learned on held-out forgeries, one set for each combination of modules, and kept in `inference/assets/fusion.json`. A
combination without learned coefficients is not averaged: its first module in the registry's order decides, and the
others are shown beside it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import exp, log

from detection.inference import weights
from detection.modules import MODULES
from detection.records.schema import ModuleOutcome, PersonOutcome, PersonScore, Reason, Thresholds, Verdict
from detection.vision.quality import MIN_USABLE_FACES
from detection.vision.types import Observation

MIN_FRAMES = MIN_USABLE_FACES
MIN_SHARE = 0.1
ASSET = "fusion"
LOGIT_LIMIT = 1e-4  # scores nearer to 0 and 1 than this say no more


@dataclass(frozen=True)
class Combination:
    """Coefficients for one set of modules: score = sigmoid(bias + Σ weight × logit(module's score))."""

    weights: Mapping[str, float]
    bias: float
    thresholds: Thresholds

    def score(self, scores: Mapping[str, float]) -> float:
        return 1 / (1 + exp(-self.bias - sum(w * _logit(scores[key]) for key, w in self.weights.items())))


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
    thresholds = _thresholds(deciding, outcomes)
    people = []
    for person in observation.people:
        said = {key: p for key, outcome in outcomes.items() for p in outcome.people if p.id == person.id}
        score = _combined(deciding, {key: p.score for key, p in said.items() if p.score is not None})
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
            )
        )
    score = video_score((p.score, p.frames) for p in people)
    return Fused(
        score=score,
        verdict=thresholds.verdict(score) if thresholds else "no_result",
        reason=None if score is not None else _reason(outcomes.values()),
        thresholds=thresholds,
        people=tuple(people),
    )


def video_score(people: Iterable[tuple[float | None, int]]) -> float | None:
    """The video's score from its people's scores and judged faces (the rule above); None when nobody counts."""
    judged = [(score, frames) for score, frames in people if score is not None]
    most = max((frames for _, frames in judged), default=0)
    enough = max(MIN_FRAMES, MIN_SHARE * most)
    return max((score for score, frames in judged if frames >= enough), default=None)


def _combined(deciding: Sequence[str], scores: Mapping[str, float]) -> float | None:
    """One person's score from the modules that judged this person."""
    present = [key for key in deciding if key in scores]
    if not present:
        return None
    combination = combinations().get(frozenset(present))
    return scores[present[0]] if combination is None else combination.score(scores)


def _thresholds(deciding: Sequence[str], outcomes: Mapping[str, ModuleOutcome]) -> Thresholds | None:
    if not deciding:
        return next((o.thresholds for o in outcomes.values() if o.thresholds), None)
    combination = combinations().get(frozenset(deciding))
    return outcomes[deciding[0]].thresholds if combination is None else combination.thresholds


@cache
def combinations() -> Mapping[frozenset[str], Combination]:
    """The learned combinations; none before fusion.json was made. Raises WeightsCorrupt when it is damaged."""
    if ASSET not in weights.manifest():
        return {}
    path = weights.verified_path(ASSET)
    try:
        return {
            frozenset(entry["weights"]): Combination(
                entry["weights"], float(entry["bias"]), Thresholds(entry["real_below"], entry["fake_from"])
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
