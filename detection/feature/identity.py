"""Whether the person stays the same person: how far the face's embeddings stray from their mean.

A few embeddings, spread over time, are there (vision.people). Shown, and without weight in the score: on the
development clips pose moves the embedding more than a swap does.
"""

from __future__ import annotations

import numpy as np

from detection.feature.measure import Measure, with_series
from detection.feature.sequence import Sequence

MIN_EMBEDDINGS = 4


def measure_identity(sequence: Sequence) -> list[Measure]:
    """Drift is 1 − cosine to the mean: 0 for a still picture, about .1 for a talking head, .6 between people."""
    if len(sequence.embeddings) < MIN_EMBEDDINGS:
        return [Measure("identity drift", float("nan"), "")]
    mean = sequence.embeddings.mean(axis=0)
    drift = 1 - sequence.embeddings @ (mean / max(float(np.linalg.norm(mean)), 1e-6))
    return [with_series("identity drift", float(drift.mean()), sequence.times_s[sequence.embedded], drift, unit="")]
