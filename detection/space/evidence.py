"""The manipulated-region image: where in a face the network sees traces of a forgery."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from detection.records.schema import Evidence
from detection.vision.pictures import picture_name, write_picture
from detection.vision.types import Array, Face, Image

FOLDER = "mri"
KIND = "mri"
OPACITY = 0.6


def region_picture(crop: Image, region: Array) -> Image:
    """The crop (S, S, 3) in grey with `region` (R, R), 0 to 1, laid over it.

    The colours are OpenCV's perceptually uniform "inferno", dark violet for no trace to yellow for manipulated; the
    same value has the same colour in every picture: a map is never stretched to its own maximum.
    """
    side = crop.shape[0]
    smooth = np.clip(cv2.resize(region.astype(np.float32), (side, side), interpolation=cv2.INTER_CUBIC), 0, 1)
    colours = cv2.applyColorMap((smooth * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)[..., ::-1]
    grey = cv2.cvtColor(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    alpha = (OPACITY * np.sqrt(smooth))[..., None]  # the face stays visible where nothing was found
    return np.asarray(grey * (1 - alpha) + colours * alpha, np.uint8)


def write_region(run_dir: Path, person: int, face: Face, region: Array, score: float) -> Evidence:
    """Writes the region image of one face; `score` is the face's calibrated probability."""
    path = f"{FOLDER}/{picture_name(person, face.frame_index)}"
    write_picture(run_dir / path, region_picture(face.crop, region))
    return Evidence(KIND, path, person, face.frame_index, face.time_s, score)
