"""What a measurement is: one number about a person, with its course over time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FLOOR = 1e-6


@dataclass(frozen=True)
class Measure:
    """`value` in `unit` ("×": a ratio, "" a plain number); NaN where it cannot be measured.

    `series` is the same quantity over time, at `times_s`, for charts; both may be empty.
    """

    name: str
    value: float
    unit: str = "×"
    times_s: tuple[float, ...] = ()
    series: tuple[float, ...] = ()


def with_series(
    name: str, value: float, times_s: NDArray[np.float64], series: NDArray[np.float64], unit: str = "×"
) -> Measure:
    """A measure with its course, to four digits: a record holds hundreds of these numbers."""
    finite = np.isfinite(series)
    return Measure(
        name,
        float(value),
        unit,
        tuple(round(float(t), 3) for t in times_s[finite]),
        tuple(float(f"{v:.4g}") for v in series[finite]),
    )


def median(values: NDArray[np.float64]) -> float:
    return float(np.median(values)) if len(values) else float("nan")
