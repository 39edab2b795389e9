"""From measures to one logit: a logistic regression small enough to be read.

Coefficients, the scaling of each measure and the range of genuine faces lie in `assets/feature.json`, made by
`detection.training.feature_recipe`. A measure that could not be taken counts as that of an average genuine face.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache

from detection.feature.measure import Measure
from detection.inference.weights import WAY_OUT, WeightsCorrupt, verified_path

ASSET = "feature"
FORMAT = 1
CLIP = 3.0  # scaled measures further out count as this far: one wild measure must not decide
# Measures of a short stretch stray: within development clips the logit's variance is 4.1 over 20 faces, 2.1 over 30,
# 1.3 over 45, 1.0 over 60, about 65 / n, while that between clips of one kind is 4. So n faces count n / (n + 65 / 4).
DOUBT_FACES = 16


@dataclass(frozen=True)
class Term:
    """One measure's part: weight × clip((v − centre) / scale), where v is the value, or its logarithm if `log`.

    `genuine_low` and `genuine_high` are the 2.5th and 97.5th percentile of genuine clips, in the measure's own unit.
    A term of weight 0 is shown and does not count.
    """

    feature: str
    log: bool
    centre: float
    scale: float
    weight: float
    genuine_low: float
    genuine_high: float

    def contribution(self, value: float) -> float:
        """What the measured value adds to the logit."""
        if not math.isfinite(value) or (self.log and value <= 0):
            return 0.0
        scaled = ((math.log(value) if self.log else value) - self.centre) / self.scale
        return self.weight * min(max(scaled, -CLIP), CLIP)


@dataclass(frozen=True)
class Model:
    """The logit is 0 where a face is as probably forged as genuine, if there are as many of one as of the other."""

    bias: float
    terms: Mapping[str, Term]

    def logit(self, measures: Sequence[Measure]) -> float:
        return self.bias + sum(self.terms[m.name].contribution(m.value) for m in measures if m.name in self.terms)

    def evidence(self, measures: Sequence[Measure], faces: int) -> float:
        """The logit of measures over so many faces, drawn to 0, which says nothing, the more the fewer they are."""
        return self.logit(measures) * faces / (faces + DOUBT_FACES)

    def to_json(self) -> str:
        terms = [asdict(term) for term in self.terms.values()]
        return json.dumps({"format": FORMAT, "bias": self.bias, "terms": terms}, indent=2) + "\n"


def parse(text: str) -> Model:
    """Reads what `Model.to_json` wrote. Raises ValueError, TypeError or KeyError for other text."""
    values = json.loads(text)
    if values["format"] != FORMAT:
        raise ValueError("another format")
    terms = [Term(**term) for term in values["terms"]]
    if not all(math.isfinite(t.weight) and t.scale > 0 and t.genuine_low <= t.genuine_high for t in terms):
        raise ValueError("a term that no fit can have given")
    return Model(float(values["bias"]), {term.feature: term for term in terms})


@cache
def load() -> Model:
    """The shipped model. Raises WeightsMissing, WeightsCorrupt."""
    path = verified_path(ASSET)
    try:
        return parse(path.read_text(encoding="utf-8"))
    except (ValueError, TypeError, KeyError) as error:
        raise WeightsCorrupt(f"{path} does not hold the model ({error}). {WAY_OUT}") from error
