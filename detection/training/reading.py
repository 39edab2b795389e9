"""How a network that ships reads a crop: what of it the network is given, and where in the crop its map then lies.

Networks are trained on whole crops in colour. On the development clips Space's ranks better where it is asked about the
face alone, in grey and at half the resolution (MODEL_CARD.md, Reading): the light of rooms, and the hands, hair and
microphones around a face, are what photographs of faces have taught it least about, and above that resolution most
videos hold their codec's traces rather than a forger's. The reading is part of the exported network.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import nn

from detection.vision.types import CROP_SIZE_PX

LUMA = (0.299, 0.587, 0.114)  # of red, green and blue: ITU-R BT.601
MAP_CELLS = 32  # of a map, along the side of the crop


@dataclass(frozen=True)
class Reading:
    """The middle of the crop, `inner_px` wide, as grey as light falls, with the detail of `detail_px` pixels a side.

    `inner_px` leaves a whole number of map cells on each side.
    """

    inner_px: int
    detail_px: int

    @property
    def margin_cells(self) -> int:
        return (CROP_SIZE_PX - self.inner_px) * MAP_CELLS // (2 * CROP_SIZE_PX)


READINGS = {"region": Reading(inner_px=224, detail_px=128), "boundary": None}  # by the map that ships


class Read(nn.Module):
    """A reading as a part of a network. Both ways are linear, so that each is one matrix along rows and columns."""

    resample: torch.Tensor
    place: torch.Tensor
    luma: torch.Tensor

    def __init__(self, reading: Reading) -> None:
        super().__init__()
        self.margin_px = (CROP_SIZE_PX - reading.inner_px) // 2
        shrink = _resize_matrix(reading.inner_px, reading.detail_px, cv2.INTER_AREA)
        grow = _resize_matrix(reading.detail_px, CROP_SIZE_PX, cv2.INTER_LINEAR)
        margin = reading.margin_cells
        inner = _resize_matrix(MAP_CELLS, MAP_CELLS - 2 * margin, cv2.INTER_AREA)
        self.register_buffer("resample", torch.from_numpy(grow @ shrink))
        self.register_buffer("place", torch.from_numpy(np.pad(inner, ((margin, margin), (0, 0)))))
        self.register_buffer("luma", torch.tensor(LUMA))

    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        """Crops (B, 3, S, S), 0 to 255, as the network is to see them, in the same shape."""
        inside = slice(self.margin_px, CROP_SIZE_PX - self.margin_px)
        grey = (crops[..., inside, inside] * self.luma[:, None, None]).sum(1)
        seen = self.resample @ grey @ self.resample.T
        seen = torch.round(seen).clamp(0, 255)  # as a picture has it, and as the network knows pictures from training
        return seen[:, None].expand(-1, 3, -1, -1)

    def on_crop(self, maps: torch.Tensor) -> torch.Tensor:
        """Maps (B, 32, 32) of what was seen, as maps of the whole crop: nothing where the network did not look."""
        return self.place @ maps @ self.place.T


def _resize_matrix(size: int, to: int, interpolation: int) -> np.ndarray:
    """(to, size): what resizing one line of pixels does, as OpenCV does it."""
    return np.asarray(cv2.resize(np.eye(size, dtype=np.float32), (size, to), interpolation=interpolation))
