"""One person's usable faces as arrays, and which of them are neighbours in time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detection.vision.types import Array, Face, Person

MIN_FACES = 20  # two seconds: of less, medians over time say nothing
# Further turned, an eye and half the mouth are seen along the skin: their detail says nothing about each other. Genuine
# profiles of 70 to 85 px had "mouth detail against eyes" at 1.5 to 2.1, beyond every forgery's.
MAX_YAW_DEG = 45.0
MAX_STEP_S = 0.21  # between neighbours; over longer steps motion hides what a generator does
NEIGHBOUR = 1.5  # times the usual step, within which two faces are neighbours

FOREHEAD, CHIN = 10, 152  # points of the mesh


@dataclass(frozen=True)
class Sequence:
    """`crops` (N, S, S, 3), `landmarks_px` (N, 468, 3) in pixels of the frames, `landmarks_crop` (N, 468, 2) in those
    of the crops, `times_s` (N,); `pairs` (N − 1,) tells whether face i and i + 1 are neighbours, `triples` (N − 2,)
    whether i, i + 1 and i + 2 are. `embeddings` (E, 128) of `embedded` (E,), indices of the faces that have one.
    """

    crops: Array
    landmarks_px: NDArray[np.float64]
    landmarks_crop: NDArray[np.float64]
    times_s: NDArray[np.float64]
    pairs: NDArray[np.bool_]
    embeddings: NDArray[np.float64]
    embedded: NDArray[np.int64]

    @property
    def triples(self) -> NDArray[np.bool_]:
        return np.asarray(self.pairs[1:] & self.pairs[:-1])

    @property
    def heights_px(self) -> NDArray[np.float64]:
        """From forehead to chin in each frame: the unit in which motion is measured. Shape (N,)."""
        span = self.landmarks_px[:, FOREHEAD, :2] - self.landmarks_px[:, CHIN, :2]
        return np.asarray(np.maximum(np.linalg.norm(span, axis=1), 1.0))


def sequence_of(person: Person) -> Sequence | None:
    """The person's usable faces, those turned away left out; None when they are too few, or too far apart in time, to
    judge motion by.
    """
    faces = [face for face in person.faces if face.quality.usable and abs(face.quality.yaw_deg) <= MAX_YAW_DEG]
    if len(faces) < MIN_FACES:
        return None
    sequence = from_faces(faces)
    return sequence if sequence.triples.sum() >= MIN_FACES // 2 else None


def from_faces(faces: list[Face]) -> Sequence:
    landmarks_px = np.stack([face.landmarks_px for face in faces]).astype(np.float64)
    matrices = np.stack([face.crop_from_frame for face in faces]).astype(np.float64)
    landmarks_crop = landmarks_px[..., :2] @ matrices[:, :, :2].transpose(0, 2, 1) + matrices[:, None, :, 2]
    times_s = np.array([face.time_s for face in faces])
    steps_s = np.diff(times_s)
    usual_s = float(np.median(steps_s))
    embedded = [i for i, face in enumerate(faces) if face.embedding is not None]
    vectors = [face.embedding for face in faces if face.embedding is not None]
    return Sequence(
        crops=np.stack([face.crop for face in faces]),
        landmarks_px=landmarks_px,
        landmarks_crop=landmarks_crop,
        times_s=times_s,
        pairs=(steps_s < NEIGHBOUR * usual_s) & (usual_s <= MAX_STEP_S),
        embeddings=np.asarray(vectors, np.float64).reshape(-1, 128),
        embedded=np.asarray(embedded, np.int64),
    )
