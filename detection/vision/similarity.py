"""Points laid on other points by turning, scaling and shifting, with no other warp."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def similarity(source: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """The turn, scaling and shift (2, 3) that lays points (n, 2) on others with the least squared error."""
    z, w = source @ (1, 1j), target @ (1, 1j)  # in the complex plane it is w = a·z + b
    centred = z - z.mean()
    a = np.vdot(centred, w - w.mean()) / max(float(np.vdot(centred, centred).real), 1e-9)
    b = w.mean() - a * z.mean()
    return np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])
