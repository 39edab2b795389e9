"""Genuine faces on disk and in memory, and the stream of training pairs made from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from detection.training import degrade, forgeries
from detection.vision.types import CROP_SCALE, CROP_SIZE_PX

PORTRAIT_SCALE = (
    1.75  # side of a stored portrait over the face's, so that a crop of CROP_SCALE can be shifted inside it
)
PORTRAIT_PX = 320
MASK_PX = 32


class PortraitFolder:
    """Portraits prepared by `detection.training.prepare`, held as JPEG bytes (about 25 KB each) and decoded on demand.

    `folder` has `portraits.npz` (names, landmarks (N, 468, 2) as fractions of the side, data, offsets). `painted` are
    arrays (N, PORTRAIT_PX, PORTRAIT_PX, 3) of the same portraits as auto-encoders paint them; those whose name starts
    with "face" may stand for the face alone, the others for the whole picture too.
    """

    def __init__(self, folder: Path, painted: dict[str, NDArray[np.uint8]] | None = None) -> None:
        # An npz reads an array from disk at every access: take each once.
        parts = [dict(np.load(path).items()) for path in sorted(folder.glob("portraits*.npz"))]
        if not parts:
            raise FileNotFoundError(f"{folder} has no portraits*.npz; make it with detection.training.prepare")
        self.names = np.concatenate([part["names"] for part in parts])
        self.landmarks = np.concatenate([part["landmarks"] for part in parts]).astype(np.float32)
        self._jpegs = [
            part["data"][start:end]
            for part in parts
            for start, end in zip(part["offsets"][:-1], part["offsets"][1:], strict=True)
        ]
        self.painted = painted or {}
        self._shapes = _shapes(self.landmarks)

    def __len__(self) -> int:
        return len(self.names)

    def portrait(self, index: int) -> forgeries.Portrait:
        image = degrade.decoded(self._jpegs[index])
        grow = cv2.INTER_CUBIC if image.shape[0] < PORTRAIT_PX else cv2.INTER_AREA
        return forgeries.Portrait(degrade.resized(image, PORTRAIT_PX, grow), self.landmarks[index] * PORTRAIT_PX)

    def partner(self, index: int, rng: np.random.Generator) -> int:
        """Another portrait in a similar pose: the nearest in shape of 24 drawn at random."""
        drawn = rng.integers(len(self), size=24)
        drawn = drawn[drawn != index]
        distance = np.square(self._shapes[drawn] - self._shapes[index]).sum(1)
        return int(drawn[int(distance.argmin())])

    def regenerated(self, index: int, rng: np.random.Generator, whole: bool) -> NDArray[np.uint8] | None:
        names = [name for name in self.painted if not whole or not name.startswith("face")]
        if not names:
            return None
        return np.asarray(self.painted[names[int(rng.integers(len(names)))]][index])


def _shapes(landmarks: NDArray[np.float32]) -> NDArray[np.float32]:
    """Landmarks without position and size, every seventh point. Shape (N, 134)."""
    points = landmarks[:, ::7]
    points = points - points.mean(1, keepdims=True)
    points = points / np.sqrt(np.square(points).sum((1, 2), keepdims=True))
    return np.asarray(points.reshape(len(points), -1), np.float32)


@dataclass(frozen=True)
class Pair:
    """A genuine face and a forgery of it after the same journey; `mask` (MASK_PX, MASK_PX) is what was manipulated."""

    genuine: NDArray[np.uint8]
    forged: NDArray[np.uint8]
    mask: NDArray[np.float32]
    kind: str


def make_pair(
    portraits: forgeries.Portraits,
    index: int,
    rng: np.random.Generator,
    weights: tuple[float, ...] = forgeries.KIND_WEIGHTS,
) -> Pair:
    """One training pair of crops (CROP_SIZE_PX, CROP_SIZE_PX, 3)."""
    base = portraits.portrait(index).image
    if rng.random() < 0.25:  # the forger's own material had been compressed before
        base = degrade.Coding.draw(rng, hard=False).apply(base)
    forgery = forgeries.forge(base, portraits, index, rng, weights)
    x, y, side = _crop_window(base.shape[0], rng)
    recipe = degrade.Recipe.draw(rng)
    window = (slice(y, y + side), slice(x, x + side))
    mask = recipe.apply_mask(forgery.mask[window], MASK_PX)
    return Pair(
        recipe.apply(base[window], CROP_SIZE_PX), recipe.apply(forgery.image[window], CROP_SIZE_PX), mask, forgery.kind
    )


def _crop_window(side: int, rng: np.random.Generator) -> tuple[int, int, int]:
    """A crop as vision cuts it, a little off in size and place: x, y and side in pixels."""
    crop = round(side * min(1.0, CROP_SCALE / PORTRAIT_SCALE * rng.uniform(0.86, 1.16)))
    slack = (side - crop) / 2
    x, y = (round(float(np.clip(slack + rng.normal(0, 0.03) * side, 0, side - crop))) for _ in range(2))
    return x, y, crop


class PairStream(torch.utils.data.Dataset[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]):
    """Pairs by number: item `i` is the same for the same seed, whatever the number of workers.

    Gives crops (2, 3, CROP_SIZE_PX, CROP_SIZE_PX) uint8, genuine first; the forgery's mask (MASK_PX, MASK_PX) float32;
    the kind as its index in forgeries.KINDS.
    """

    def __init__(
        self,
        portraits: forgeries.Portraits,
        length: int,
        seed: int,
        start: int = 0,
        weights: tuple[float, ...] = forgeries.KIND_WEIGHTS,
    ) -> None:
        self.portraits, self.length, self.seed, self.start, self.weights = portraits, length, seed, start, weights

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, item: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        cv2.setNumThreads(1)
        rng = np.random.default_rng((self.seed, self.start + item))
        pair = make_pair(self.portraits, int(rng.integers(len(self.portraits))), rng, self.weights)
        crops = np.stack([pair.genuine, pair.forged]).transpose(0, 3, 1, 2)
        kind = forgeries.KINDS.index(pair.kind.split("/")[0])
        return torch.from_numpy(np.ascontiguousarray(crops)), torch.from_numpy(pair.mask), torch.tensor(kind)


Progress = Callable[[str, int, int], None]
