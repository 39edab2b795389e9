"""Blinks: eye aspect ratio (Soukupová and Čech, CVWW 2016) of both eyes over time.

Early forgeries did not blink (Li, Chang and Lyu, 2018); today's mostly do, so these are shown and weigh nothing in the
score: on the development clips they tell forgeries from genuine faces no better than chance.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detection.feature.measure import Measure, with_series
from detection.feature.sequence import Sequence

# Outer and inner corner, two points of the upper lid, the two of the lower lid below them.
LEFT, RIGHT = (33, 133, 160, 158, 144, 153), (263, 362, 387, 385, 373, 380)
CLOSED = 0.7  # of the person's own median opening
MIN_DURATION_S = 6.0  # people blink 8 to 30 times a minute: of less time a rate says nothing

Floats = NDArray[np.float64]


def measure_eyes(sequence: Sequence) -> list[Measure]:
    left, right = (eye_aspect_ratio(sequence, eye) for eye in (LEFT, RIGHT))
    opening = (left + right) / 2
    usual = max(float(np.median(opening)), 1e-6)
    seconds = float(np.diff(sequence.times_s)[sequence.pairs].sum())
    shut = opening < CLOSED * usual
    blinks = int(np.sum(shut[1:] & ~shut[:-1] & sequence.pairs))
    rate = 60 * blinks / seconds if seconds >= MIN_DURATION_S else float("nan")
    difference = np.abs(left - right) / usual
    return [
        with_series("blink rate", rate, sequence.times_s[:0], opening[:0], unit="1/min"),
        with_series("eye asymmetry", float(np.median(difference)), sequence.times_s, difference, unit=""),
    ]


def eye_aspect_ratio(sequence: Sequence, eye: tuple[int, ...]) -> Floats:
    """Height over width of one eye in every frame: about .3 open, under .15 shut. Shape (N,)."""
    points = sequence.landmarks_px[..., :2]
    outer, inner, upper_a, upper_b, lower_a, lower_b = (points[:, index] for index in eye)
    height = np.linalg.norm(upper_a - lower_a, axis=1) + np.linalg.norm(upper_b - lower_b, axis=1)
    return np.asarray(height / (2 * np.linalg.norm(outer - inner, axis=1) + 1e-6))
