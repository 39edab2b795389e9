"""Learns how the modules' scores combine, and writes `assets/fusion.json`.

python manage.py evaluate FOLDER --module space --module feature --module blend --json > rows.json
python -m detection.training.fuse rows.json INDEX.tsv

A logistic regression with a ridge over the logits of the modules' calibrated scores, then `training.calibrate` for the
scale and the thresholds. A module weighs between nothing (a negative weight would be learning the clips, not the
forgeries) and what its calibrated score says (with more it would stand for others that the clips happen to lack). Space
and Blend look for traces of a seam: that a face shows none says little, because a face that was wholly generated shows
none either. Where they score below the base rate of the clips, they count as if they had said just that.

The clips must have trained none of the modules. Every set of two modules or more gets coefficients of its own, because
a person may run any. The figures printed last were judged with groups left out, and with a whole method of forgery left
out, which is what a new method meets.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import logit

from detection.fusion import LOGIT_LIMIT
from detection.inference import weights
from detection.inference.calibration import Calibration
from detection.training.calibrate import area, calibrate

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

RIDGE = 1.0
ONE_SIDED = ("space", "blend")


def floors(modules: Sequence[str], fake: Bools) -> Floats:
    """(m,) the least logit that counts of each module."""
    base_rate = logit(fake.mean())
    return np.array([base_rate if module in ONE_SIDED else -np.inf for module in modules])


def combine(logits: Floats, fake: Bools) -> Floats:
    """Weights (m,) from 0 to 1 for the modules' logits (n, m)."""
    spread = logits.std(0)
    z = (logits - logits.mean(0)) / spread

    def loss(theta: Floats) -> float:
        y = z @ theta[:-1] + theta[-1]
        return float(np.sum(np.logaddexp(0, y) - fake * y) + RIDGE / 2 * np.square(theta[:-1]).sum())

    bounds = [*((0, each) for each in spread), (None, None)]
    return np.asarray(minimize(loss, np.zeros(z.shape[1] + 1), method="L-BFGS-B", bounds=bounds).x[:-1] / spread)


@dataclass(frozen=True)
class Clips:
    """n judged clips: `logits` (n, m) of the modules' scores, what is `fake` (n,), `groups` (n,) of clips that show one
    person, `methods` (n,) of forgery ("" of genuine clips).
    """

    logits: Floats
    fake: Bools
    groups: NDArray[np.str_]
    methods: NDArray[np.str_]


def groups_left_out(clips: Clips) -> Floats:
    """(n,) every clip's combined logit by the weights that the other groups give, as share of their length."""
    combined = np.zeros(len(clips.fake))
    for group in np.unique(clips.groups):
        out = clips.groups == group
        found = combine(clips.logits[~out], clips.fake[~out])
        combined[out] = clips.logits[out] @ (found / np.linalg.norm(found))
    return combined


def methods_left_out(clips: Clips) -> dict[str, float]:
    """AUC of each method's forgeries against the genuine clips, by the weights that the other methods give."""
    found = {}
    for method in np.unique(clips.methods[clips.fake]):
        out = clips.methods == method
        summed = clips.logits @ combine(clips.logits[~out], clips.fake[~out])
        seen = out | ~clips.fake
        found[str(method)] = area(summed[seen], clips.fake[seen])
    return found


@dataclass(frozen=True)
class Fitted:
    """One set of modules: their weights and least logits (m,), the calibration of the sum, its figures with groups
    left out, and the AUC of each method when that was left out.
    """

    modules: tuple[str, ...]
    weights: Floats
    floors: Floats
    calibration: Calibration
    held_out: dict[str, float]
    methods_left_out: dict[str, float]


def fit_all(modules: Sequence[str], clips: Clips, data: str) -> list[Fitted]:
    """Coefficients for every set of two modules or more; `clips.logits` are in the order of `modules`."""
    fitted = []
    for size in range(2, len(modules) + 1):
        for places in combinations(range(len(modules)), size):
            chosen = tuple(modules[place] for place in places)
            least = floors(chosen, clips.fake)
            seen = replace(clips, logits=np.maximum(clips.logits[:, places], least))
            found = combine(seen.logits, clips.fake)
            calibrated, held_out = (
                calibrate(summed, list(map(bool, clips.fake)), list(clips.groups), data=data)
                for summed in (seen.logits @ found, groups_left_out(seen))
            )
            fitted.append(Fitted(chosen, found, least, calibrated, held_out.figures, methods_left_out(seen)))
    return fitted


def store(fitted: Sequence[Fitted]) -> Path:
    """Writes the combinations as the asset `fusion`, scale and bias folded into them."""
    path = weights.ASSETS / "fusion.json"
    entries = [
        {
            "weights": {key: float(f.calibration.slope * w) for key, w in zip(f.modules, f.weights, strict=True)},
            "floors": {key: float(v) for key, v in zip(f.modules, f.floors, strict=True) if np.isfinite(v)},
            "bias": f.calibration.intercept,
            **asdict(f.calibration.thresholds),
            "figures": f.calibration.figures,
            "held_out": f.held_out,
            "methods_left_out": f.methods_left_out,
            "data": f.calibration.data,
            "date": f.calibration.date,
        }
        for f in fitted
    ]
    path.write_text(json.dumps({"combinations": entries}, indent=2) + "\n", encoding="utf-8")
    what = "fusion of the modules' scores: weights, least logits, bias, thresholds"
    source = f"detection.training.fuse on {fitted[0].calibration.data}"
    weights.enrol(weights.Asset("fusion", path.name, weights.sha256_of(path), what, source, "Apache-2.0"))
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description="Fit the fusion of the modules to evaluated clips.")
    parser.add_argument("rows", type=Path, help="what `manage.py evaluate --json` printed")
    parser.add_argument("index", type=Path, help="tab-separated, with file, label, method and group of every clip")
    given = parser.parse_args()
    with given.index.open(encoding="utf-8", newline="") as file:
        about = {f"{r['label']}/{Path(r['file']).name}": r for r in csv.DictReader(file, delimiter="\t")}
    evaluated = json.loads(given.rows.read_text(encoding="utf-8"))
    modules = [judge["judge"] for judge in evaluated["judges"] if judge["judge"] != "fused"]
    rows = [row for row in evaluated["rows"] if all(row["judges"][m]["score"] is not None for m in modules)]
    scores = np.array([[row["judges"][m]["score"] for m in modules] for row in rows])
    fake = np.array([row["label"] == "fake" for row in rows])
    clips = Clips(
        logit(np.clip(scores, LOGIT_LIMIT, 1 - LOGIT_LIMIT)),
        fake,
        np.array([about[row["file"]]["group"] for row in rows]),
        np.array([about[row["file"]]["method"] if row["label"] == "fake" else "" for row in rows]),
    )
    data = f"{Path(evaluated['folder']).name}: {fake.sum()} fakes, {(~fake).sum()} genuine clips"
    fitted = fit_all(modules, clips, data)
    print(store(fitted))
    for one in fitted:
        print(one.modules, one.weights, one.calibration.figures)
        print("  with groups left out:", one.held_out)
        print("  with a method left out:", one.methods_left_out)


if __name__ == "__main__":
    main()
