"""Fine detail of mouth, eyes and skin against each other, and how steady it is.

Generators paint at one resolution: teeth and lips come out as fine as lashes, or softer, and the share of fine detail
inside the face does not follow focus and compression as that of its surroundings does. Detail is the part of the
picture that a blur removes, at the aligned size, so that the file's own resolution cancels out (spectra of generated
faces: Durall, Keuper and Keuper, CVPR 2020; Frank et al., ICML 2020).
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from detection.feature.measure import Measure, median, with_series
from detection.feature.regions import Aligned
from detection.feature.sequence import Sequence

FINE_PX, COARSE_PX = 1.5, 4.0
FLOOR = 1e-3

Floats = NDArray[np.float64]


def measure_texture(sequence: Sequence, aligned: Aligned) -> list[Measure]:
    fine, middle = detail_strengths(aligned)
    mouth = fine["mouth"] - fine["eyes"]
    share = {region: fine[region] - middle[region] for region in ("inside", "border")}
    changes = {region: np.abs(np.diff(values))[sequence.pairs] for region, values in share.items()}
    times_s = sequence.times_s[1:][sequence.pairs]
    change = (changes["inside"].mean() + FLOOR) / (changes["border"].mean() + FLOOR)
    course = (changes["inside"] + FLOOR) / (changes["border"] + FLOOR)
    return [
        with_series("mouth detail against eyes", float(np.exp(median(mouth))), sequence.times_s, np.exp(mouth)),
        with_series("spectrum change inside against border", float(change), times_s, course),
    ]


def detail_strengths(aligned: Aligned) -> tuple[dict[str, Floats], dict[str, Floats]]:
    """Log strength of fine and of middle detail in each region, each of shape (N,)."""
    fine: dict[str, list[float]] = {region: [] for region in aligned.regions}
    middle: dict[str, list[float]] = {region: [] for region in aligned.regions}
    for grey in aligned.grey:
        soft = cv2.GaussianBlur(grey, (0, 0), FINE_PX)
        parts = (grey - soft).ravel(), (soft - cv2.GaussianBlur(grey, (0, 0), COARSE_PX)).ravel()
        for region, pixels in aligned.regions.items():
            for part, strengths in zip(parts, (fine, middle), strict=True):
                values = part[pixels]
                power = float(np.dot(values, values)) / max(1, len(pixels))
                strengths[region].append(0.5 * float(np.log(power + FLOOR)))
    return (
        {region: np.array(values) for region, values in fine.items()},
        {region: np.array(values) for region, values in middle.items()},
    )
