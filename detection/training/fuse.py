"""Learns how the modules' scores combine, and writes `assets/fusion.json`.

python manage.py evaluate FOLDER --module space --module feature --json > rows.json
python -m detection.training.fuse rows.json INDEX.tsv

A logistic regression with a ridge over the logits of the modules' calibrated scores, never with a negative weight (that
would be learning the clips, not the forgeries), then `training.calibrate` for the scale and the thresholds. The clips
must have trained none of the modules. The figures printed last were judged with groups left out.
"""

from __future__ import annotations

import argparse
import csv
import json
from dataclasses import asdict
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


def store(modules: list[str], found: Floats, fitted: Calibration) -> Path:
    """Writes the one combination as the asset `fusion`, scale and bias folded into it."""
    path = weights.ASSETS / "fusion.json"
    combination = {
        "weights": {key: float(fitted.slope * w) for key, w in zip(modules, found, strict=True)},
        "bias": fitted.intercept,
        **asdict(fitted.thresholds),
        "figures": fitted.figures,
        "data": fitted.data,
        "date": fitted.date,
    }
    path.write_text(json.dumps({"combinations": [combination]}, indent=2) + "\n", encoding="utf-8")
    what, source = (
        "fusion of the modules' scores: weights, bias, thresholds",
        "detection.training.fuse on " + fitted.data,
    )
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
    found = combine(logits, fake)
    data = f"{Path(evaluated['folder']).name}: {fake.sum()} fakes, {(~fake).sum()} genuine clips"
    fitted = calibrate(logits @ found, list(map(bool, fake)), list(groups), data=data)
    held_out = calibrate(left_out(logits, fake, groups), list(map(bool, fake)), list(groups), data=data)
    print(f"{store(modules, found, fitted)}:\n{fitted.to_json()}with groups left out: {held_out.figures}")


if __name__ == "__main__":
    main()
