from __future__ import annotations

import cv2
import numpy as np

from detection.vision.faces import find_faces
from detection.vision.identity import TEMPLATE_PX, align_face, embed_faces
from detection.vision.types import Image


def embedding(image: Image) -> np.ndarray:
    (face,) = find_faces(image)
    return embed_faces(image, [face.points_px])[0]


def test_a_person_stays_the_same_turned_scaled_and_in_other_light(astronaut: Image) -> None:
    original = embedding(astronaut)
    assert abs(np.linalg.norm(original) - 1) < 1e-5
    turned = cv2.warpAffine(astronaut, cv2.getRotationMatrix2D((222, 125), 15, 1.0), (512, 512))
    larger = cv2.resize(astronaut[:300, 60:380], None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    darker = (astronaut * 0.6).astype(np.uint8)
    for other in (turned, larger, darker):
        assert original @ embedding(other) > 0.75


def test_several_faces_at_once_are_embedded_as_each_alone(astronaut: Image) -> None:
    pair = np.hstack([astronaut, astronaut[:, ::-1]])
    points = [face.points_px for face in find_faces(pair)]
    together = embed_faces(pair, points)
    assert together.shape == (2, 128)
    for i in range(2):
        np.testing.assert_allclose(together[i], embed_faces(pair, [points[i]])[0], atol=1e-4)
    assert embed_faces(pair, []).shape == (0, 128)


def test_the_points_come_to_lie_on_the_template(astronaut: Image) -> None:
    angle, scale = 0.3, 1.7
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = TEMPLATE_PX @ turn.T + (120, 60)
    marked = np.zeros((400, 400, 3), np.uint8)
    for x, y in points:
        cv2.circle(marked, (round(x), round(y)), 4, (255, 255, 255), -1)
    aligned = align_face(marked, points)
    for x, y in TEMPLATE_PX:
        assert aligned[round(y), round(x)].min() > 200
