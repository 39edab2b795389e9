"""Faces followed from one sampled frame to the next, within a shot.

The mesh of one frame says where to look in the next; the detector looks over the whole frame at the start of a shot,
every `DETECT_EVERY` frames, and whenever a face was lost or there is none.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count

import numpy as np

from detection.vision.detector import QUICK_SIDE_PX, THOROUGH_SIDE_PX, Detection, detect_faces
from detection.vision.faces import FoundFace, fit_faces, follow_faces
from detection.vision.landmarks import Roi, roi_of_mesh
from detection.vision.types import Box, Image

DETECT_EVERY = 10  # sampled frames: once a second
MAX_MISSED = 6  # sampled frames without the face, after which a track has ended
MAX_FACES = 8  # in one frame; of more, the largest are followed

SAME_PLACE = 0.5  # distance of two boxes' centres over their side, under which they are one face
SAME_SIZE = 2.0  # ratio of their sides


@dataclass
class _Followed:
    track: int
    face: FoundFace
    roi: Roi
    missed: int = 0


class FaceFollower:
    """Gives every face of a frame the number of its track. Numbers are never used twice."""

    def __init__(self) -> None:
        self._numbers = count()
        self._followed: list[_Followed] = []
        self._since_detection = DETECT_EVERY

    def step(self, image: Image, new_shot: bool) -> list[tuple[int, FoundFace]]:
        """The faces of the next sampled frame, RGB (H, W, 3), by track; a new shot ends all tracks."""
        if new_shot:
            self._followed = []
        lost = self._follow(image)
        self._since_detection += 1
        due = new_shot or lost or self._since_detection >= DETECT_EVERY
        if due or not self._followed:
            # A frame without faces is looked over quickly, and thoroughly only in its turn.
            self._detect(image, THOROUGH_SIDE_PX if due else QUICK_SIDE_PX)
            if due:
                self._since_detection = 0
        self._followed = [f for f in self._followed if f.missed <= MAX_MISSED]
        return [(f.track, f.face) for f in self._followed if not f.missed]

    def _follow(self, image: Image) -> bool:
        """Looks for every followed face near where it was; True when one is not found."""
        faces = follow_faces(image, [f.roi for f in self._followed])
        seen: list[_Followed] = []
        lost = False
        for followed, face in zip(self._followed, faces, strict=True):
            # Two tracks on one face: the older one keeps it.
            if face is None or any(is_same(face.box, other.face.box) for other in seen):
                lost = True
                followed.missed += 1
                continue
            followed.face, followed.roi, followed.missed = face, roi_of_mesh(face.landmarks_px), 0
            seen.append(followed)
        return lost

    def _detect(self, image: Image, side_px: int) -> None:
        detections = sorted(detect_faces(image, side_px), key=lambda d: -d.box.width * d.box.height)
        new: list[tuple[Detection, _Followed | None]] = []
        for detection in detections[:MAX_FACES]:
            known = [f for f in self._followed if is_same(detection.box, f.face.box)]
            if any(not f.missed for f in known):
                continue
            new.append((detection, known[0] if known else None))
        for (_, known_one), face in zip(new, fit_faces(image, [d for d, _ in new]), strict=True):
            if face is None or any(is_same(face.box, f.face.box) for f in self._followed if not f.missed):
                continue
            found = known_one
            if found is None:
                found = _Followed(next(self._numbers), face, roi_of_mesh(face.landmarks_px))
                self._followed.append(found)
            found.face, found.roi, found.missed = face, roi_of_mesh(face.landmarks_px), 0


def is_same(a: Box, b: Box) -> bool:
    """Whether two boxes in one frame, or in neighbouring ones, are the same face."""
    side_a, side_b = max(a.width, a.height), max(b.width, b.height)
    distance = np.linalg.norm(np.subtract(a.centre, b.centre))
    return bool(distance < SAME_PLACE * max(side_a, side_b) and max(side_a, side_b) < SAME_SIZE * min(side_a, side_b))
