"""Key frames: a few moments, spread over time, in which a person is seen best. Chosen while the video is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from math import cos, radians

from detection.vision.scaling import shrink
from detection.vision.types import FaceQuality, Image

KEY_FRAMES = 8  # a person
KEY_FRAME_STRIDE = 4  # sampled frames: only every fourth is a candidate, which is what thinning of faces keeps
STRETCH = 8  # sampled frames, of which the best one is a candidate
SCENE_SIDE_PX = 960
MAX_SCENES = 16  # in memory, about 25 MB; more only where there are more tracks than that
CLEARLY_BETTER = 1.1  # a scene is scaled and kept anew only for a gain that shows


class Why(StrEnum):
    """What sets a key frame apart from the person's others. MOST_SUSPICIOUS is for the modules to say."""

    FIRST_CLEAR = "first_clear"
    LARGEST = "largest"
    SHARPEST = "sharpest"
    MOST_FRONTAL = "most_frontal"
    BEST_OF_STRETCH = "best_of_stretch"
    MOST_SUSPICIOUS = "most_suspicious"


@dataclass(frozen=True)
class Scene:
    """A whole frame, RGB (H, W, 3), scaled by `scale` to at most SCENE_SIDE_PX."""

    image: Image
    scale: float


@dataclass(frozen=True)
class Candidate:
    """A key frame of one track, at a number of sampled frame."""

    track: int
    sample: int
    score: float
    scene: Scene


class KeyFramePicker:
    """Keeps at most KEY_FRAMES candidates a track and MAX_SCENES scenes in all, whatever the video's length.

    When there are too many scenes, the track with the most candidates gives one up; each keeps its last.
    """

    def __init__(self) -> None:
        self._candidates: dict[int, list[Candidate]] = {}
        self._latest: tuple[int, Scene] | None = None

    def offer(self, track: int, sample: int, quality: FaceQuality, image: Image) -> None:
        """Takes the frame `image` as a candidate of `track` if it is among its best."""
        if sample % KEY_FRAME_STRIDE:
            return
        score = worth(quality)
        kept = self._candidates.setdefault(track, [])
        if kept and kept[-1].sample // STRETCH == sample // STRETCH:
            if score < CLEARLY_BETTER * kept[-1].score:
                return
            kept.pop()
        kept.append(Candidate(track, sample, score, self._scene(sample, image)))
        self._candidates[track] = spread(kept, KEY_FRAMES)
        while len({id(c.scene) for all_of_one in self._candidates.values() for c in all_of_one}) > MAX_SCENES:
            longest = max(self._candidates, key=lambda t: len(self._candidates[t]))
            fewer = len(self._candidates[longest]) - 1
            if not fewer:
                break
            self._candidates[longest] = spread(self._candidates[longest], fewer)

    def key_frames(self, tracks: Sequence[int]) -> list[Candidate]:
        """The key frames of one person, in order of time, from those of the person's tracks."""
        return spread([c for track in tracks for c in self._candidates.get(track, [])], KEY_FRAMES)

    def _scene(self, sample: int, image: Image) -> Scene:
        if self._latest is None or self._latest[0] != sample:
            scale = min(1.0, SCENE_SIDE_PX / max(image.shape[:2]))
            size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
            self._latest = (sample, Scene(image if scale == 1 else shrink(image, *size), scale))
        return self._latest[1]


def worth(quality: FaceQuality) -> float:
    """How well a face shows: large, sharp and frontal; one that cannot be judged is worth little."""
    frontal = max(0.1, cos(radians(quality.yaw_deg)))
    return quality.size_px * quality.sharpness * frontal * (1.0 if quality.usable else 0.1)


def spread(candidates: list[Candidate], limit: int) -> list[Candidate]:
    """At most `limit` of them, in order of time: of the two closest in time the worse one goes, again and again."""
    kept = sorted(candidates, key=lambda c: c.sample)
    while len(kept) > limit:
        gaps = [after.sample - before.sample for before, after in pairwise(kept)]
        at = min(range(len(gaps)), key=gaps.__getitem__) if gaps else 0
        kept.pop(at if not gaps or kept[at].score < kept[at + 1].score else at + 1)
    return kept


def reasons(qualities: Sequence[FaceQuality]) -> list[tuple[Why, ...]]:
    """Why each of a person's key frames, in order of time, was chosen.

    All are the best view in their stretch of the video; that alone is said of those that nothing else sets apart.
    Extremes are sought among the faces that can be judged, and only where there are several to compare.
    """
    found: list[list[Why]] = [[] for _ in qualities]
    usable = [index for index, quality in enumerate(qualities) if quality.usable]
    if usable:
        found[usable[0]].append(Why.FIRST_CLEAR)
    if len(usable) > 1:
        found[max(usable, key=lambda i: qualities[i].size_px)].append(Why.LARGEST)
        found[max(usable, key=lambda i: qualities[i].sharpness)].append(Why.SHARPEST)
        found[min(usable, key=lambda i: abs(qualities[i].yaw_deg))].append(Why.MOST_FRONTAL)
    return [tuple(each) or (Why.BEST_OF_STRETCH,) for each in found]
