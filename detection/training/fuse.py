"""Learns how the modules' scores combine, and writes `assets/fusion.json`.

python manage.py evaluate FOLDER --module space --module feature --module blend --json > rows.json
python -m detection.training.fuse rows.json INDEX.tsv

A logistic regression with a ridge over the logits of the modules' calibrated scores, never with a negative weight (that
would be learning the clips, not the forgeries), then `training.calibrate` for the scale and the thresholds. The clips
must have trained none of the modules. Every set of two modules or more gets coefficients of its own, because a person
may run any. The figures printed last were judged with groups left out.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import logit

from detection.inference import weights
from detection.inference.calibration import Calibration
from detection.training.calibrate import calibrate

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

RIDGE = 1.0
LIMIT = 1e-4  # as in detection.fusion


def combine(logits: Floats, fake: Bools) -> Floats:
    """Non-negative weights (m,) for the modules' logits (n, m)."""
    spread = logits.std(0)
    z = (logits - logits.mean(0)) / spread

    def loss(theta: Floats) -> float:
        y = z @ theta[:-1] + theta[-1]
        return float(np.sum(np.logaddexp(0, y) - fake * y) + RIDGE / 2 * np.square(theta[:-1]).sum())

    bounds = [(0, None)] * z.shape[1] + [(None, None)]
    return np.asarray(minimize(loss, np.zeros(z.shape[1] + 1), method="L-BFGS-B", bounds=bounds).x[:-1] / spread)


def left_out(logits: Floats, fake: Bools, groups: NDArray[Any]) -> Floats:
    """(n,) every clip's combined logit by the weights that the other groups give, as share of their length."""
    combined = np.zeros(len(fake))
    for group in np.unique(groups):
        out = groups == group
        found = combine(logits[~out], fake[~out])
        combined[out] = logits[out] @ (found / np.linalg.norm(found))
    return combined


@dataclass(frozen=True)
class Fitted:
    """One set of modules: their weights (m,), the calibration of the sum, and its figures with groups left out."""

    modules: tuple[str, ...]
    weights: Floats
    calibration: Calibration
    held_out: dict[str, float]


def fit_all(modules: Sequence[str], logits: Floats, fake: Bools, groups: NDArray[Any], data: str) -> list[Fitted]:
    """Coefficients for every set of two modules or more; logits (n, m) in the order of `modules`."""
    fitted = []
    for size in range(2, len(modules) + 1):
        for places in combinations(range(len(modules)), size):
            chosen = logits[:, places]
            found = combine(chosen, fake)
            calibrated, held_out = (
                calibrate(summed, list(map(bool, fake)), list(groups), data=data)
                for summed in (chosen @ found, left_out(chosen, fake, groups))
            )
            fitted.append(Fitted(tuple(modules[p] for p in places), found, calibrated, held_out.figures))
    return fitted


def store(fitted: Sequence[Fitted]) -> Path:
    """Writes the combinations as the asset `fusion`, scale and bias folded into them."""
    path = weights.ASSETS / "fusion.json"
    entries = [
        {
            "weights": {key: float(f.calibration.slope * w) for key, w in zip(f.modules, f.weights, strict=True)},
            "bias": f.calibration.intercept,
            **asdict(f.calibration.thresholds),
            "figures": f.calibration.figures,
            "held_out": f.held_out,
            "data": f.calibration.data,
            "date": f.calibration.date,
        }
        for f in fitted
    ]
    path.write_text(json.dumps({"combinations": entries}, indent=2) + "\n", encoding="utf-8")
    what = "fusion of the modules' scores: weights, bias, thresholds"
    source = f"detection.training.fuse on {fitted[0].calibration.data}"
    weights.enrol(weights.Asset("fusion", path.name, weights.sha256_of(path), what, source, "Apache-2.0"))
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description="Fit the fusion of the modules to evaluated clips.")
    parser.add_argument("rows", type=Path, help="what `manage.py evaluate --json` printed")
    parser.add_argument("index", type=Path, help="tab-separated, with file, label and group of every clip")
    given = parser.parse_args()
    with given.index.open(encoding="utf-8", newline="") as file:
        group_of = {f"{r['label']}/{Path(r['file']).name}": r["group"] for r in csv.DictReader(file, delimiter="\t")}
    evaluated = json.loads(given.rows.read_text(encoding="utf-8"))
    modules = [judge["judge"] for judge in evaluated["judges"] if judge["judge"] != "fused"]
    rows = [row for row in evaluated["rows"] if all(row["judges"][m]["score"] is not None for m in modules)]
    scores = np.array([[row["judges"][m]["score"] for m in modules] for row in rows])
    logits = logit(np.clip(scores, LIMIT, 1 - LIMIT))
    fake = np.array([row["label"] == "fake" for row in rows])
    groups = np.array([group_of[row["file"]] for row in rows])
    data = f"{Path(evaluated['folder']).name}: {fake.sum()} fakes, {(~fake).sum()} genuine clips"
    fitted = fit_all(modules, logits, fake, groups, data)
    print(store(fitted))
    for one in fitted:
        print(one.modules, one.weights, one.calibration.figures, "with groups left out:", one.held_out)


if __name__ == "__main__":
    main()
