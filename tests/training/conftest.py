"""Portraits made from the one face that is free to use, and a skip for machines without the training libraries."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage.data import astronaut

torch = pytest.importorskip("torch", reason="training tests need requirements-train.txt")
pytest.importorskip("efficientnet_lite_pytorch", reason="training tests need requirements-train.txt")

from detection.training.dataset import PortraitFolder  # noqa: E402
from detection.training.prepare import prepare  # noqa: E402


@pytest.fixture(scope="session")
def photographs(tmp_path_factory) -> Path:
    """A data folder as `prepare` reads it: six variants of one photograph and a picture without a face."""
    root = tmp_path_factory.mktemp("photographs")
    (root / "train_real").mkdir()
    face = astronaut()
    names = []
    for number in range(6):
        turned = cv2.getRotationMatrix2D((220, 120), 4 * number - 10, 1 + 0.05 * number)
        names.append(f"train_real/face{number}.png")
        cv2.imwrite(str(root / names[-1]), cv2.warpAffine(face, turned, (512, 512))[..., ::-1])
    names.append("train_real/empty.png")
    cv2.imwrite(str(root / names[-1]), np.full((200, 200, 3), 90, np.uint8))
    (root / "train_real.tsv").write_text("file\n" + "\n".join(names) + "\n")
    return root


@pytest.fixture(scope="session")
def portraits(photographs, tmp_path_factory) -> PortraitFolder:
    out = tmp_path_factory.mktemp("portraits")
    assert prepare(photographs, out, lambda *_: None, workers=1) == 6
    return PortraitFolder(out)
