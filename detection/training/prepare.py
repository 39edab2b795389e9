"""Photographs to portraits: each face found, measured and cut as the detectors' eyes do, stored small."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from detection.training.dataset import PORTRAIT_PX, PORTRAIT_SCALE, Progress
from detection.vision.faces import crop_face, find_faces
from detection.vision.types import CROP_SCALE, Box

PART_BYTES = 36 * 1024 * 1024
JPEG_QUALITY = 90
MIN_FACE_PX = 80


@dataclass(frozen=True)
class Prepared:
    """A portrait as JPEG bytes, its landmarks (468, 2) as fractions of its side."""

    name: str
    jpeg: NDArray[np.uint8]
    landmarks: NDArray[np.float16]


def prepare(data: Path, out: Path, progress: Progress, workers: int = 2) -> int:
    """Reads `data/train_real.tsv`, writes `out/portraits-<n>.npz` of some 36 MB each, returns the number of portraits.

    Photographs without a clear face, with a face under MIN_FACE_PX, or cut out as an oval on white are left out.
    """
    with (data / "train_real.tsv").open() as lines:
        paths = [data / row["file"] for row in csv.DictReader(lines, delimiter="\t")]
    out.mkdir(parents=True, exist_ok=True)
    kept: list[Prepared] = []
    count = part = 0
    for done, portrait in enumerate(_prepared(paths, workers), start=1):
        if portrait is not None:
            kept.append(portrait)
            count += 1
        if sum(p.jpeg.nbytes for p in kept) > PART_BYTES:
            _write(out / f"portraits-{part}.npz", kept)
            kept, part = [], part + 1
        if done % 100 == 0:
            progress("preparing", done, len(paths))
    if kept:
        _write(out / f"portraits-{part}.npz", kept)
    return count


def _prepared(paths: list[Path], workers: int) -> Iterator[Prepared | None]:
    if workers <= 1:
        yield from map(_prepare_one, paths)
        return
    with ProcessPoolExecutor(workers) as pool:
        yield from pool.map(_prepare_one, paths, chunksize=16)


def _prepare_one(path: Path) -> Prepared | None:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        return None
    image = np.ascontiguousarray(image[..., ::-1])
    faces = find_faces(image)
    if not faces:
        return None
    face = max(faces, key=lambda found: found.box.width * found.box.height)
    longer = max(face.box.width, face.box.height)
    if longer < MIN_FACE_PX or _on_white_oval(image, face.box):
        return None
    grow = PORTRAIT_SCALE / CROP_SCALE
    centre_x, centre_y = face.box.x + face.box.width / 2, face.box.y + face.box.height / 2
    wide = Box(centre_x - grow * longer / 2, centre_y - grow * longer / 2, grow * longer, grow * longer)
    side = min(PORTRAIT_PX, round(PORTRAIT_SCALE * longer))
    crop, matrix = crop_face(image, wide, side)
    points = face.landmarks_px[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    ok, jpeg = cv2.imencode(".jpg", crop[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    assert ok
    return Prepared(f"{path.parent.name}/{path.name}", jpeg.ravel(), (points / side).astype(np.float16))


def _on_white_oval(image: NDArray[np.uint8], box: Box) -> bool:
    """Whether all four corners of the face's surroundings are pure white: the photograph is masked to an oval."""
    crop, _ = crop_face(image, box)
    edge = crop.shape[0] // 12
    corners = (crop[:edge, :edge], crop[:edge, -edge:], crop[-edge:, :edge], crop[-edge:, -edge:])
    return all(float(corner.mean()) > 252 for corner in corners)


def _write(path: Path, portraits: list[Prepared]) -> None:
    np.savez(
        path,
        names=np.array([p.name for p in portraits]),
        landmarks=np.stack([p.landmarks for p in portraits]),
        data=np.concatenate([p.jpeg for p in portraits]),
        offsets=np.concatenate([[0], np.cumsum([p.jpeg.nbytes for p in portraits])]),
    )
