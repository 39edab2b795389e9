"""Faces followed from one sampled frame to the next, within a shot.

The mesh of one frame says where to look in the next. The detector looks over the frame every other time, quickly, and
thoroughly once a second and whenever a shot begins or a face was lost: to find new faces, and to put back a mesh that
slid off its face, which happens behind hands and microphones without the mesh network noticing.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count

import numpy as np

from detection.vision.detector import QUICK_SIDE_PX, THOROUGH_SIDE_PX, Detection, detect_faces
from detection.vision.faces import SIDE_CONFIDENCE, FoundFace, fit_faces, follow_faces
from detection.vision.landmarks import roi_of_mesh
from detection.vision.types import Box, Image

QUICK_EVERY, THOROUGH_EVERY = 2, 10  # sampled frames
MAX_MISSED = 6  # sampled frames without the face, after which a track has ended
MAX_FACES = 8  # in one frame; of more, the largest are followed

SAME_OVERLAP = 0.35  # of the smaller box, from which two boxes are one face
SAME_SIZE = 2.0  # ratio of their sides
SLID_OFF = 0.2  # distance of the mesh's centre from the detector's box's, over the longer side of the box


@dataclass
class _Followed:
    track: int
    face: FoundFace
    missed: int = 0


class FaceFollower:
    """Gives every face of a frame the number of its track. Numbers are never used twice."""

    def __init__(self) -> None:
        self._numbers = count()
        self._followed: list[_Followed] = []
        self._step = 0
        self._thorough_at = 0  # the step of the last thorough detection

    def step(self, image: Image, new_shot: bool) -> list[tuple[int, FoundFace]]:
        """The faces of the next sampled frame, RGB (H, W, 3), by track; a new shot ends all tracks."""
        self._step += 1
        if new_shot:
            self._followed = []
        lost = self._follow(image)
        if new_shot or lost or self._step - self._thorough_at >= THOROUGH_EVERY:
            self._thorough_at = self._step
            self._detect(image, THOROUGH_SIDE_PX)
        elif not self._followed or self._step % QUICK_EVERY == 0:
            self._detect(image, QUICK_SIDE_PX)
        self._followed = [f for f in self._followed if f.missed <= MAX_MISSED]
        return [(f.track, f.face) for f in self._followed if not f.missed]

    def _follow(self, image: Image) -> bool:
        """Looks for every followed face near where it was; True when one is not found."""
        faces = follow_faces(image, [roi_of_mesh(f.face.landmarks_px) for f in self._followed])
        seen: list[_Followed] = []
        for followed, face in zip(self._followed, faces, strict=True):
            # Two tracks on one face: the older one keeps it.
            if face is None or any(is_same(face.box, other.face.box) for other in seen):
                followed.missed += 1
            else:
                followed.face, followed.missed = face, 0
                seen.append(followed)
        return len(seen) < len(self._followed)

    def _detect(self, image: Image, side_px: int) -> None:
        """Begins tracks on new faces, takes up lost ones, puts back meshes that slid off."""
        known: dict[int, Detection] = {}  # by track
        new: list[Detection] = []
        for detection in detect_faces(image, side_px):  # the most certain first
            same = [f for f in self._followed if is_same(detection.box, f.face.box)]
            if not same:
                new.append(detection)
            elif not any(f.track in known for f in same):
                known[min(same, key=lambda f: _distance(f.face.box, detection.box)).track] = detection
        for followed in self._followed:
            if followed.track in known and _is_off(followed, known[followed.track]):
                self._take(followed, fit_faces(image, [known[followed.track]])[0])
        new.sort(key=lambda d: -max(d.box.width, d.box.height))
        for face in fit_faces(image, new[: MAX_FACES - len(self._followed)]):
            if face is not None and not any(is_same(face.box, f.face.box) for f in self._followed):
                self._followed.append(_Followed(next(self._numbers), face))

    def _take(self, followed: _Followed, face: FoundFace | None) -> None:
        """Puts `followed` onto `face`; without one, or on another track's, it is not seen in this frame."""
        others = [f.face.box for f in self._followed if f is not followed and not f.missed]
        if face is None or any(is_same(face.box, other) for other in others):
            followed.missed = max(1, followed.missed)
        else:
            followed.face, followed.missed = face, 0


def is_same(a: Box, b: Box) -> bool:
    """Whether two boxes in one frame, or in neighbouring ones, are the same face."""
    width = min(a.x + a.width, b.x + b.width) - max(a.x, b.x)
    height = min(a.y + a.height, b.y + b.height) - max(a.y, b.y)
    overlap = max(0.0, width) * max(0.0, height)
    small, large = sorted((max(a.width, a.height), max(b.width, b.height)))
    return overlap >= SAME_OVERLAP * min(a.width * a.height, b.width * b.height) and large < SAME_SIZE * small


def _is_off(followed: _Followed, detection: Detection) -> bool:
    """Whether a face is lost, or its mesh lies elsewhere than where the detector surely sees the face."""
    slid = _distance(followed.face.box, detection.box) > SLID_OFF * max(detection.box.width, detection.box.height)
    return followed.missed > 0 or (slid and detection.confidence >= SIDE_CONFIDENCE)


def _distance(a: Box, b: Box) -> float:
    return float(np.linalg.norm(np.subtract(a.centre, b.centre)))
