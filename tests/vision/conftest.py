from __future__ import annotations

import numpy as np
import pytest
import skimage.data

from detection.vision.types import Image


@pytest.fixture(scope="session")
def astronaut() -> Image:
    """Eileen Collins, NASA, public domain: one frontal face, about 90 px, in 512²."""
    return np.ascontiguousarray(skimage.data.astronaut())
