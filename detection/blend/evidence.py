"""The boundary picture: where in a face two pictures seem to have been joined."""

from __future__ import annotations

from pathlib import Path

import cv2

from detection.records.schema import Evidence
from detection.vision.pictures import overlay, picture_name, write_picture
from detection.vision.types import Array, Face

FOLDER = "blend"
KIND = "boundary"


def write_boundary(
    run_dir: Path, person: int, face: Face, boundary: Array, score: float, why: tuple[str, ...] = ()
) -> Evidence:
    """Writes the boundary picture of one face; `score` is the face's calibrated probability, `why` it was chosen."""
    path = f"{FOLDER}/{picture_name(person, face.frame_index)}"
    write_picture(run_dir / path, overlay(face.crop, boundary, cv2.COLORMAP_VIRIDIS))
    return Evidence(KIND, path, person, face.frame_index, face.time_s, score, why)
