from __future__ import annotations

import numpy as np

from detection.vision.similarity import similarity


def test_similarity_finds_a_turn_scaling_and_shift() -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(0, 10, (20, 2))
    matrix = np.array([[0.8, -0.6, 3.0], [0.6, 0.8, -7.0]]) * 1.7
    target = points @ matrix[:, :2].T + matrix[:, 2]
    assert np.allclose(similarity(points, target), matrix)
