"""From a detector's raw logit to a probability that means what it says.

Platt's scaling (Platt 1999, "Probabilistic outputs for support vector machines"): p = σ(slope · logit + intercept). The
coefficients and the two thresholds are fitted by `detection.training.calibrate` on clips that trained no network, and
lie in `assets/` as JSON, named and hashed by the manifest like the weights they belong to.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from detection.inference.weights import WAY_OUT, WeightsCorrupt, verified_path
from detection.records.schema import Thresholds

FORMAT = 1


@dataclass(frozen=True)
class Calibration:
    """How one detector's logit per clip becomes a probability, and from which probability on it is called what.

    `figures` are those that the fit measured (see `detection.training.calibrate`), `data` says on which clips, `date`
    (ISO 8601) when. Raises ValueError for coefficients or thresholds that no fit can have given.
    """

    slope: float
    intercept: float
    thresholds: Thresholds
    figures: dict[str, float] = field(default_factory=dict)
    data: str = ""
    date: str = ""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.slope) and math.isfinite(self.intercept) and self.slope > 0):
            raise ValueError(f"slope {self.slope} must be positive, slope and intercept {self.intercept} finite")
        low, high = self.thresholds.real_below, self.thresholds.fake_from
        if not 0 <= low <= high <= 1:
            raise ValueError(f"thresholds must be 0 ≤ real_below ≤ fake_from ≤ 1, not {low} and {high}")

    @overload
    def probability(self, logit: float) -> float: ...
    @overload
    def probability(self, logit: NDArray[Any]) -> NDArray[np.float64]: ...
    def probability(self, logit: float | NDArray[Any]) -> float | NDArray[np.float64]:
        """The calibrated probability of a forgery for one logit, or for each of an array of any shape."""
        z = self.slope * np.asarray(logit, np.float64) + self.intercept
        p = 0.5 * (1.0 + np.tanh(0.5 * z))  # σ(z) without the overflow of exp(−z)
        return p if isinstance(logit, np.ndarray) else float(p)

    def to_json(self) -> str:
        """The text of the asset, which `parse` reads back without loss."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=2, ensure_ascii=False) + "\n"


@cache
def load(name: str) -> Calibration:
    """The calibration `name` of the manifest, verified and read once per process.

    Raises WeightsMissing, WeightsCorrupt.
    """
    return read(verified_path(name))


def read(path: Path) -> Calibration:
    """The calibration in the JSON file `path`. Raises WeightsCorrupt when it holds none; OSError passes."""
    try:
        return parse(path.read_text(encoding="utf-8"))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise WeightsCorrupt(f"{path} is not a calibration of format {FORMAT} ({error}). {WAY_OUT}") from error


def parse(text: str) -> Calibration:
    """Reads what `Calibration.to_json` wrote; other text raises ValueError, TypeError, KeyError or AttributeError."""
    values = json.loads(text)
    if values.pop("format") != FORMAT:
        raise ValueError("another format")
    thresholds = Thresholds(**{name: float(value) for name, value in values.pop("thresholds").items()})
    return Calibration(thresholds=thresholds, **values)
