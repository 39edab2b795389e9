"""The manipulated-region image: where in a face the network sees traces of a forgery."""

from __future__ import annotations

from pathlib import Path

import cv2

from detection.records.schema import Evidence
from detection.vision.pictures import overlay, picture_name, write_picture
from detection.vision.types import Array, Face

FOLDER = "mri"
KIND = "mri"


def write_region(
    run_dir: Path, person: int, face: Face, region: Array, score: float, why: tuple[str, ...] = ()
) -> Evidence:
    """Writes the region image of one face; `score` is the face's calibrated probability, `why` it was chosen."""
    path = f"{FOLDER}/{picture_name(person, face.frame_index)}"
    write_picture(run_dir / path, overlay(face.crop, region, cv2.COLORMAP_INFERNO))
    return Evidence(KIND, path, person, face.frame_index, face.time_s, score, why)
