"""Bringing an overlay onto a frame at full resolution: on the CPU with numba, on CUDA with torch where both are
there.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
from numba import njit
from numpy.typing import NDArray

from detection.inference.session import core_count
from relitalk.geometry import CANVAS_PX
from relitalk.render import Overlay

Array = NDArray[Any]

SHOULDER = 0.9  # display value from which highlights are compressed instead of clipped


class Compositor(Protocol):
    """Applies overlays to a frame. `name` is what a manifest says of it."""

    name: str

    def apply(self, frame: Array, overlays: list[Overlay]) -> Array:
        """A new RGB frame (H, W, 3) uint8: where no overlay lies, that of `frame`, bit for bit."""
        ...


class CpuCompositor:
    """Bands of rows on a few threads; the kernel holds no lock of Python's."""

    name = "numba"

    def __init__(self, threads: int = 0) -> None:
        self._threads = threads or core_count()

    def apply(self, frame: Array, overlays: list[Overlay]) -> Array:
        out = frame.copy()
        for overlay in overlays:
            maps = np.concatenate([overlay.gain, overlay.added * 255], axis=-1)
            step, left, top = overlay.canvas.step_px, overlay.canvas.to_frame[0, 2], overlay.canvas.to_frame[1, 2]
            side = (CANVAS_PX - 1) * step
            y0, y1 = max(0, int(np.ceil(top))), min(frame.shape[0], int(top + side) + 1)
            x0, x1 = max(0, int(np.ceil(left))), min(frame.shape[1], int(left + side) + 1)
            if y0 >= y1 or x0 >= x1:
                continue
            bands = np.linspace(y0, y1, self._threads + 1).astype(int)
            work = [(out, maps, a, b, x0, x1, left, top, step) for a, b in pairwise(bands)]
            list(_pool().map(lambda arguments: _blend(*arguments), work))
        return out


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(core_count(), thread_name_prefix="relight")


@njit(cache=True, fastmath=True, nogil=True)  # type: ignore[untyped-decorator]
def _blend(frame: Array, maps: Array, y0: int, y1: int, x0: int, x1: int, left: float, top: float, step: float) -> None:
    size = maps.shape[0]
    row = np.empty((size, 6), np.float32)
    knee = np.float32(SHOULDER * 255)
    room = np.float32(255) - knee
    for y in range(y0, y1):
        at = (y - top) / step
        iy = min(int(at), size - 2)
        fy = np.float32(at - iy)
        for i in range(size):
            for c in range(6):
                row[i, c] = maps[iy, i, c] * (1 - fy) + maps[iy + 1, i, c] * fy
        for x in range(x0, x1):
            across = (x - left) / step
            ix = min(int(across), size - 2)
            fx = np.float32(across - ix)
            for c in range(3):
                gain = row[ix, c] * (1 - fx) + row[ix + 1, c] * fx
                added = row[ix, c + 3] * (1 - fx) + row[ix + 1, c + 3] * fx
                before = np.float32(frame[y, x, c])
                value = before * gain + added
                if value > knee and value > before:  # what the source shows brighter than the knee stays as it is
                    start = max(knee, before)
                    over = value - start
                    value = start + (255 - start) * over / (over + room) if start < 255 else start
                frame[y, x, c] = np.uint8(value + np.float32(0.5))


class TorchCompositor:
    """The same on a torch device. The frame goes there and back once, whatever the number of faces."""

    def __init__(self, device: str = "cuda") -> None:
        import torch

        self._torch: Any = torch
        self._device = torch.device(device)
        self.name = f"torch-{device}"

    def apply(self, frame: Array, overlays: list[Overlay]) -> Array:
        torch = self._torch
        picture = torch.from_numpy(frame).to(self._device).permute(2, 0, 1).float()
        height, width = frame.shape[:2]
        knee = SHOULDER * 255
        for overlay in overlays:
            step, left, top = overlay.canvas.step_px, overlay.canvas.to_frame[0, 2], overlay.canvas.to_frame[1, 2]
            side = (CANVAS_PX - 1) * step
            y0, y1 = max(0, int(np.ceil(top))), min(height, int(top + side) + 1)
            x0, x1 = max(0, int(np.ceil(left))), min(width, int(left + side) + 1)
            if y0 >= y1 or x0 >= x1:
                continue
            maps = torch.from_numpy(np.concatenate([overlay.gain, overlay.added * 255], axis=-1)).to(self._device)
            y = (torch.arange(y0, y1, device=self._device) - top) / side * 2 - 1
            x = (torch.arange(x0, x1, device=self._device) - left) / side * 2 - 1
            grid = torch.stack(torch.meshgrid(y, x, indexing="ij")[::-1], dim=-1)[None].float()
            sampled = torch.nn.functional.grid_sample(
                maps.permute(2, 0, 1)[None], grid, align_corners=True, padding_mode="border"
            )[0]
            before = picture[:, y0:y1, x0:x1]
            value = before * sampled[:3] + sampled[3:]
            start = torch.clamp(before, min=knee)
            over = torch.clamp(value - start, min=0)
            picture[:, y0:y1, x0:x1] = (
                torch.where(over > 0, start + (255 - start) * over / (over + 255 - knee), value).add(0.5).floor()
            )
        result: Array = picture.clamp(0, 255).byte().permute(1, 2, 0).contiguous().cpu().numpy()
        return result


def best_compositor(device: str = "auto") -> Compositor:
    """CUDA through torch when it is there and not declined, else the CPU. `device` is auto, cpu or cuda."""
    if device != "cpu":
        try:
            import torch

            if torch.cuda.is_available():
                return TorchCompositor("cuda")
        except ImportError:
            pass
        if device == "cuda":
            raise RuntimeError("DEEPFAKE_DEVICE is cuda, but torch is not installed or sees no CUDA device.")
    return CpuCompositor()
