"""Moving faces made from one free photograph (scikit-image's astronaut, public domain), with exact landmarks."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import skimage.data

from detection.vision.faces import crop_face, face_box, find_faces, five_points
from detection.vision.types import Face, FaceQuality, Observation, Person

RATE_HZ = 12.5


@cache
def portrait() -> tuple[np.ndarray, np.ndarray]:
    """The picture (512, 512, 3) and the face's landmarks (468, 3)."""
    image = skimage.data.astronaut()
    return image, find_faces(image)[0].landmarks_px


def moving_faces(count: int, boil: float = 0.0, tremble_px: float = 0.0, seed: int = 0) -> list[Face]:
    """A face that sways slowly. `boil`: strength of texture that is new in every frame, `tremble_px`: of landmarks."""
    image, landmarks = portrait()
    rng = np.random.default_rng(seed)
    faces = []
    for number in range(count):
        time_s = number / RATE_HZ
        angle = 6 * np.sin(time_s * 1.7)
        matrix = cv2.getRotationMatrix2D((225, 120), angle, 1 + 0.03 * np.sin(time_s))
        matrix[:, 2] += (8 * np.sin(time_s * 1.1), 3 * np.cos(time_s * 2.3))
        frame = cv2.warpAffine(image, matrix, (512, 512), borderMode=cv2.BORDER_REFLECT_101).astype(np.float32)
        frame += rng.normal(0, 1.5, frame.shape)
        if boil:
            coarse = rng.normal(0, 1, (128, 128)).astype(np.float32)
            frame += boil * cv2.resize(coarse, (512, 512), interpolation=cv2.INTER_CUBIC)[..., None]
        points = landmarks.copy()
        points[:, :2] = landmarks[:, :2] @ matrix[:, :2].T + matrix[:, 2]
        points[:, :2] += rng.normal(0, tremble_px, points[:, :2].shape) if tremble_px else 0
        faces.append(face_of(np.clip(frame, 0, 255).astype(np.uint8), points.astype(np.float32), number, time_s))
    return faces


def face_of(frame: np.ndarray, points: np.ndarray, number: int, time_s: float) -> Face:
    box = face_box(points)
    crop, matrix = crop_face(frame, box)
    quality = FaceQuality(max(box.width, box.height), 0.3, 0.0, 0.0, 0.0)
    return Face(number, time_s, box, 0.9, five_points(points), points, crop, matrix, quality)


def person_of(faces: list[Face], number: int = 1) -> Person:
    return Person(number, tuple(faces), (), ())


def observation_of(*people: Person) -> Observation:
    return Observation(None, people, 100, 100)  # type: ignore[arg-type]
