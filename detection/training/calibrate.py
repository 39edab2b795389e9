"""From raw logits of labelled clips to a calibration: Platt's coefficients and thresholds of stated error rates.

python -m detection.training.calibrate LOGITS.tsv NAME [--as "what it belongs to"] [--column logit]

LOGITS.tsv has the columns label (fake, real), logit (or another name) and group (clips that share a person or a
camera). The clips must have trained nothing. What was fitted goes to `assets/NAME.json` and into the manifest.

Platt scaling. The log loss against Platt's smoothed targets, (fakes + 1) / (fakes + 2) for fakes and
1 / (genuine + 2) for genuine clips, plus RIDGE / 2 × the square of the slope per standard deviation: without the two,
clips that a detector happens to separate would drive the slope to infinity. A probability so made presumes the share
of fakes in the data; it is kept among the figures.

Thresholds. Both are quantiles of one class, smoothed, because the 3 % of 41 clips is one clip and a bit: each clip is
a Gaussian over the logit with Silverman's width (0.9 · min(σ, IQR / 1.34) · n^(−1/5)), and the quantile is that of
their mixture, never inside the empirical one. `fake_from` leaves MAX_FALSE_ALARMS of the genuine clips above it. Then
every group is left out in turn and judged by the threshold of the others; while more than MAX_FALSE_ALARMS of the
clips so judged are false alarms, the rate asked for is lowered by a tenth. `real_below` leaves MAX_MISSED of the fakes
below it, at most `fake_from`. Where that would leave fewer than MIN_CLEARED of the genuine clips called real (a weak
detector), the rate cannot be had with a verdict that is of use: `real_below` is then the quantile of the genuine clips
that clears MIN_CLEARED, and the figure `missed` says what share of the fakes it costs.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq, minimize
from scipy.special import expit, ndtr

from detection.evaluation.metrics import ALONE, UNCERTAIN, Sample, auc, calibration_error, calibration_error_by_chance
from detection.inference import weights
from detection.inference.calibration import Calibration
from detection.records.schema import Thresholds

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

RIDGE = 0.1  # with 65 simulated clips the error on fresh ones was .04–.06, .04–.10 with 1
MIN_SLOPE = 1e-3  # per standard deviation; a detector at this bound tells nothing
MAX_FALSE_ALARMS = 0.03
MAX_MISSED = 0.10
MIN_CLEARED = 0.20
LEAST_FALSE_ALARMS = 0.003  # no quantile further out is estimated from some dozen clips


class CalibrationError(ValueError):
    """The logits cannot be calibrated; the message says why."""


def calibrate(
    logits: Sequence[float] | Floats,
    is_fake: Sequence[bool] | Bools,
    groups: Sequence[str],
    *,
    data: str,
    max_false_alarms: float = MAX_FALSE_ALARMS,
    max_missed: float = MAX_MISSED,
) -> Calibration:
    """Fits one calibration to n clips: their `logits` (n,), truth (n,) and groups (n,). `data` names the clips.

    Its figures: auc; calibration_error cross-validated by leaving groups out, and what
    such scores have by chance alone; share_of_fakes; false_alarms and caught,
    cross-validated likewise; missed and cleared (genuine clips called real), both as fitted; clips and groups.
    Raises CalibrationError for one class alone, values that are not finite, or a detector that ranks clips no better
    than the wrong way round.
    """
    x, fake, group = np.asarray(logits, np.float64), np.asarray(is_fake, bool), np.asarray(groups)
    _check(x, fake, group)
    slope, intercept = platt(x, fake)
    if area(x, fake) <= 0.5:
        raise CalibrationError(f"The logits rank fakes below genuine clips (AUC {area(x, fake):.2f}).")
    asked = _level(x, fake, group, max_false_alarms)
    fake_from = _fake_from(x[~fake], asked)
    real_below = _real_below(x, fake, fake_from, max_missed)
    called, held_out = _called_when_left_out(x, fake, group, asked), _probability_when_left_out(x, fake, group)
    figures = {
        "auc": area(x, fake),
        "calibration_error": _ece(held_out, fake),
        "calibration_error_by_chance": calibration_error_by_chance(held_out),
        "share_of_fakes": float(fake.mean()),
        "false_alarms": float(called[~fake].mean()),
        "caught": float(called[fake].mean()),
        "missed": float((x[fake] < real_below).mean()),
        "cleared": float((x[~fake] < real_below).mean()),
        "clips": float(len(x)),
        "groups": float(len(np.unique(group))),
    }
    p_real, p_fake = (float(expit(slope * t + intercept)) for t in (real_below, fake_from))
    return Calibration(slope, intercept, Thresholds(p_real, p_fake), figures, data, f"{datetime.now(UTC):%Y-%m-%d}")


def platt(logits: Floats, fake: Bools) -> tuple[float, float]:
    """Slope and intercept of Platt's scaling with a ridge on the slope (module's docstring)."""
    centre, width = float(logits.mean()), float(logits.std()) or 1.0
    z = (logits - centre) / width
    fakes, genuine = np.count_nonzero(fake), np.count_nonzero(~fake)
    target = np.where(fake, (fakes + 1) / (fakes + 2), 1 / (genuine + 2))

    def loss(ab: Floats) -> tuple[float, Floats]:
        y = ab[0] * z + ab[1]
        error = expit(y) - target
        value = np.sum(np.logaddexp(0, y) - target * y) + RIDGE / 2 * ab[0] ** 2
        return float(value), np.array([error @ z + RIDGE * ab[0], error.sum()])

    fitted = minimize(loss, np.array([1.0, 0.0]), jac=True, method="L-BFGS-B", bounds=[(MIN_SLOPE, None), (None, None)])
    if not fitted.success:
        raise CalibrationError(f"The fit did not converge: {fitted.message}")
    slope = float(fitted.x[0]) / width
    return slope, float(fitted.x[1]) - slope * centre


def smooth_quantile(values: Floats, level: float) -> float:
    """The `level` quantile of the values' Gaussian mixture (module's docstring), 0 < level < 1."""
    spread = float(np.std(values))
    quartiles = float(np.subtract(*np.quantile(values, (0.75, 0.25)))) / 1.34
    width = 0.9 * (min(spread, quartiles) or spread) * len(values) ** -0.2
    if not width:
        return float(values[0])
    low, high = float(values.min()) - 10 * width, float(values.max()) + 10 * width
    return float(brentq(lambda t: float(ndtr((t - values) / width).mean()) - level, low, high))


def store(name: str, calibration: Calibration, belongs_to: str) -> Path:
    """Writes the calibration as the asset `name` with its line in the manifest."""
    path = weights.ASSETS / f"{name}.json"
    path.write_text(calibration.to_json(), encoding="utf-8")
    what = f"calibration of {belongs_to}: Platt coefficients, thresholds, figures of the fit"
    source = f"detection.training.calibrate on {calibration.data}"
    weights.enrol(weights.Asset(name, path.name, weights.sha256_of(path), what, source, "Apache-2.0"))
    return path


def _check(x: Floats, fake: Bools, group: NDArray[Any]) -> None:
    if not len(x) == len(fake) == len(group):
        raise CalibrationError(f"{len(x)} logits, {len(fake)} labels and {len(group)} groups do not fit together.")
    if not np.isfinite(x).all():
        raise CalibrationError(f"{np.count_nonzero(~np.isfinite(x))} of {len(x)} logits are not finite.")
    for name, members in (("fakes", fake), ("genuine clips", ~fake)):
        if len(np.unique(group[members])) < 2:
            raise CalibrationError(f"There must be {name} of two groups at least, to leave one out.")


def _fake_from(genuine: Floats, level: float) -> float:
    """The logit that at most `level` of genuine clips reach: beyond both the smoothed and the empirical quantile."""
    allowed = int(level * len(genuine))
    highest_refused = np.sort(genuine)[::-1][allowed]
    return max(smooth_quantile(genuine, 1 - level), float(np.nextafter(highest_refused, np.inf)))


def _real_below(x: Floats, fake: Bools, fake_from: float, max_missed: float) -> float:
    allowed = int(max_missed * np.count_nonzero(fake))
    lowest_kept = float(np.sort(x[fake])[allowed])
    wanted = min(smooth_quantile(x[fake], max_missed), lowest_kept)
    if (x[~fake] < wanted).mean() < MIN_CLEARED:
        wanted = smooth_quantile(x[~fake], MIN_CLEARED)
    return min(wanted, fake_from)


def _level(x: Floats, fake: Bools, group: NDArray[Any], wanted: float) -> float:
    """The rate to ask for so that the false alarms on groups left out are `wanted` at most."""
    level = wanted
    while level > LEAST_FALSE_ALARMS and _called_when_left_out(x, fake, group, level)[~fake].mean() > wanted:
        level *= 0.9
    return level


def _called_when_left_out(x: Floats, fake: Bools, group: NDArray[Any], level: float) -> Bools:
    """(n,) whether each clip is called fake by the threshold that the other groups give."""
    called = np.zeros(len(x), bool)
    for name in np.unique(group):
        out = group == name
        called[out] = x[out] >= _fake_from(x[~out & ~fake], level)
    return called


def _probability_when_left_out(x: Floats, fake: Bools, group: NDArray[Any]) -> Floats:
    """(n,) each clip's probability by the fit to the other groups."""
    probability = np.zeros(len(x))
    for name in np.unique(group):
        out = group == name
        slope, intercept = platt(x[~out], fake[~out])
        probability[out] = expit(slope * x[out] + intercept)
    return probability


def area(x: Floats, fake: Bools) -> float:
    return float(auc(_sample(x, fake), np.ones((1, len(x))))[0])


def _ece(probability: Floats, fake: Bools) -> float:
    return float(calibration_error(_sample(probability, fake), np.ones((1, len(fake))))[0])


def _sample(scores: Floats, fake: Bools) -> Sample:
    return Sample(fake, scores, np.full(len(fake), UNCERTAIN), np.full(len(fake), ALONE))


def main() -> None:
    parser = argparse.ArgumentParser(description="Fit a calibration to logits of labelled clips.")
    parser.add_argument("logits", type=Path, help="tab-separated: label (fake, real), group, logit")
    parser.add_argument("name", help="of the asset, for instance space_calibration")
    parser.add_argument("--as", dest="belongs_to", default="a detector", help="what it belongs to")
    parser.add_argument("--data", help="what the clips are, in words")
    parser.add_argument("--column", default="logit", help="where the logit stands")
    given = parser.parse_args()
    with given.logits.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    fitted = calibrate(
        [float(row[given.column]) for row in rows],
        [row["label"] == "fake" for row in rows],
        [row["group"] for row in rows],
        data=given.data or given.logits.stem,
    )
    print(f"{store(given.name, fitted, given.belongs_to)}:\n{fitted.to_json()}", end="")


if __name__ == "__main__":
    main()
