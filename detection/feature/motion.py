"""How the landmarks move once the head's own motion is taken away.

A camera sees one skin over one skull: what is left after removing the pose moves smoothly. Faces pasted or generated
frame by frame follow landmarks that tremble (Yang, Li and Lyu, "Exposing Deep Fakes Using Inconsistent Head Poses",
2019, look at the same disagreement between the inner face and the outline).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detection.feature.measure import FLOOR, Measure, median, with_series
from detection.feature.regions import EYES, NOSE, OVAL, RIGID, canonical_vertices
from detection.feature.sequence import Sequence

Floats = NDArray[np.float64]


def measure_motion(sequence: Sequence) -> list[Measure]:
    residual = without_pose(sequence)  # (N, 468, 2)
    triples, times_s = sequence.triples, sequence.times_s[1:-1]
    jerks = (residual[2:] - 2 * residual[1:-1] + residual[:-2])[triples]
    steps = np.diff(residual, axis=0)
    nose_jerk = _strength(jerks, NOSE)
    nose_step = _strength(steps[sequence.pairs], NOSE)
    nose_steps = _strength(steps, NOSE)
    around = (0.5 * (nose_steps[1:] + nose_steps[:-1]))[triples]
    oval, eyes = _strength(jerks, OVAL), _strength(jerks, EYES)
    return [
        with_series(
            "nose tremble",
            (median(nose_jerk) + FLOOR) / (median(nose_step) + FLOOR),
            times_s[triples],
            nose_jerk / (around + FLOOR),
        ),
        with_series(
            "outline tremble", (median(oval) + FLOOR) / (median(eyes) + FLOOR), times_s[triples], oval / (eyes + FLOOR)
        ),
    ]


def without_pose(sequence: Sequence) -> Floats:
    """Landmarks (N, 468, 2) less the affine picture of the canonical head that fits best, in heights of the face."""
    vertices = canonical_vertices()
    design = np.hstack([vertices, np.ones((len(vertices), 1))])  # (468, 4)
    points = sequence.landmarks_px[..., :2]
    count = len(points)
    targets = points[:, RIGID].transpose(1, 0, 2).reshape(len(RIGID), -1)
    poses = np.linalg.lstsq(design[RIGID], targets, rcond=None)[0]  # (4, 2 N)
    fitted = (design @ poses).reshape(len(vertices), count, 2).transpose(1, 0, 2)
    return np.asarray((points - fitted) / sequence.heights_px[:, None, None])


def _strength(motion: Floats, points: list[int]) -> Floats:
    """Root mean square over the points, for each time."""
    return np.asarray(np.sqrt(np.square(motion[:, points]).sum(axis=-1).mean(axis=1)))
