"""What the network sees: a contact sheet of training pairs, to look at before hours are spent on them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from detection.training.dataset import make_pair
from detection.training.forgeries import KIND_WEIGHTS, Portraits
from detection.vision.pictures import write_picture
from detection.vision.types import CROP_SIZE_PX, Image

COLUMNS = 3


def contact_sheet(portraits: Portraits, rows: int, seed: int, weights: tuple[float, ...] = KIND_WEIGHTS) -> Image:
    """`rows` × COLUMNS pairs: genuine, forged, mask, four times their difference, with the kind written on."""
    cells = []
    for number in range(rows * COLUMNS):
        rng = np.random.default_rng((seed, number))
        pair = make_pair(portraits, int(rng.integers(len(portraits))), rng, weights)
        mask = cv2.resize(pair.mask, (CROP_SIZE_PX, CROP_SIZE_PX)) * 255
        difference = np.abs(pair.genuine.astype(np.float32) - pair.forged) * 4
        shades = [np.repeat(mask[..., None], 3, axis=-1), difference]
        cell = np.hstack([pair.genuine, pair.forged, *(np.clip(s, 0, 255).astype(np.uint8) for s in shades)])
        cells.append(cv2.putText(cell, pair.kind, (4, 18), cv2.FONT_HERSHEY_SIMPLEX, 0.55, (255, 255, 0), 2))
    return np.vstack([np.hstack(cells[i : i + COLUMNS]) for i in range(0, len(cells), COLUMNS)])


def write_sheet(portraits: Portraits, path: Path, seed: int) -> None:
    write_picture(path, contact_sheet(portraits, 6, seed))
