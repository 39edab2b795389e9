"""Small auto-encoders that paint faces as forgery programs do: low resolution, smooth texture, a fingerprint each.

They are trained on the spot from the genuine portraits and used once, to repaint them all; the detectors never see
their weights.
The variety (how far they compress, how they grow the picture back, with or without an adversary) is the point.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional as F


@dataclass(frozen=True)
class Painter:
    """One auto-encoder. `size_px` is what it paints at, `halvings` how often it halves, `codes` its code's channels."""

    name: str
    size_px: int
    halvings: int
    codes: int
    width: int
    grow: str  # nearest, transpose, shuffle or bilinear
    adversarial: bool


# Names that start with "face" are used for a pasted face only, the others also for a whole portrait.
PAINTERS = (
    Painter("latent8", 256, 3, 4, 48, "nearest", True),  # as the decoder of latent diffusion
    Painter("transpose8", 256, 3, 8, 48, "transpose", False),
    Painter("shuffle16", 256, 4, 24, 48, "shuffle", True),
    Painter("bilinear4", 256, 2, 3, 48, "bilinear", True),
    Painter("face128", 128, 4, 48, 48, "nearest", True),  # one-shot swaps at 128 px
    Painter("face96", 96, 4, 64, 48, "transpose", False),  # lip-sync mouths at 96 px
    Painter("face160", 160, 5, 192, 48, "shuffle", False),  # classic deepfake with a narrow code
)


class Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.GroupNorm(8, width), nn.SiLU(), nn.Conv2d(width, width, 3, padding=1),
            nn.GroupNorm(8, width), nn.SiLU(), nn.Conv2d(width, width, 3, padding=1),
        )  # fmt: skip

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.body(x)


def _grower(kind: str, into: int, out: int) -> nn.Module:
    if kind == "transpose":
        return nn.ConvTranspose2d(into, out, 4, 2, 1)
    if kind == "shuffle":
        return nn.Sequential(nn.Conv2d(into, 4 * out, 3, padding=1), nn.PixelShuffle(2))
    mode = "nearest" if kind == "nearest" else "bilinear"
    return nn.Sequential(nn.Upsample(scale_factor=2, mode=mode), nn.Conv2d(into, out, 3, padding=1))


class AutoEncoder(nn.Module):
    """Pictures (B, 3, S, S) in −1 to 1, to codes (B, codes, S / 2^halvings, …) and back."""

    def __init__(self, spec: Painter) -> None:
        super().__init__()
        widths = [min(spec.width * 2**level // 2, spec.width * 4) for level in range(spec.halvings + 1)]
        down: list[nn.Module] = [nn.Conv2d(3, widths[0], 3, padding=1)]
        for narrow, wide in itertools.pairwise(widths):
            down += [nn.Conv2d(narrow, wide, 4, 2, 1), Residual(wide)]
        self.encode = nn.Sequential(*down, nn.GroupNorm(8, widths[-1]), nn.SiLU(), nn.Conv2d(widths[-1], spec.codes, 1))
        up: list[nn.Module] = [nn.Conv2d(spec.codes, widths[-1], 1), Residual(widths[-1])]
        for wide, narrow in zip(widths[:0:-1], widths[-2::-1], strict=True):
            up += [_grower(spec.grow, wide, narrow), Residual(narrow)]
        self.decode = nn.Sequential(
            *up, nn.GroupNorm(8, widths[0]), nn.SiLU(), nn.Conv2d(widths[0], 3, 3, padding=1), nn.Tanh()
        )

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        return self.decode(self.encode(pictures))


class PatchCritic(nn.Module):
    """Real or painted, patch by patch (Isola et al., CVPR 2017)."""

    def __init__(self, width: int = 48) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(3, width, 4, 2, 1), nn.LeakyReLU(0.2)]
        for level in range(2):
            layers += [
                nn.Conv2d(width * 2**level, width * 2 ** (level + 1), 4, 2, 1),
                nn.GroupNorm(8, width * 2 ** (level + 1)),
                nn.LeakyReLU(0.2),
            ]
        self.body = nn.Sequential(*layers, nn.Conv2d(width * 4, 1, 3, padding=1))

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        return self.body(pictures)


class Perception(nn.Module):
    """Distance of early ImageNet features (Johnson et al., ECCV 2016), from the detectors' own pretrained trunk."""

    def __init__(self) -> None:
        super().__init__()
        from detection.training.network import FaceForgeryNet

        self.trunk = FaceForgeryNet(pretrained=True).trunk.eval().requires_grad_(False)

    def features(self, pictures: torch.Tensor) -> list[torch.Tensor]:
        x = self.trunk._swish(self.trunk._bn0(self.trunk._conv_stem(pictures)))
        found = [x]
        for block in self.trunk._blocks[:6]:
            x = block(x)
            found.append(x)
        return [found[0], found[3], found[6]]

    def forward(self, painted: torch.Tensor, genuine: torch.Tensor) -> torch.Tensor:
        pairs = zip(self.features(painted), self.features(genuine), strict=True)
        return torch.stack([F.l1_loss(a, b) / (b.abs().mean() + 1e-3) for a, b in pairs]).sum()


def _batches(
    pictures: torch.Tensor, size: int, batch: int, steps: int, seed: int, device: str
) -> Iterator[torch.Tensor]:
    """Random portraits (batch, 3, size, size) in −1 to 1 on `device`, from `pictures` (N, S, S, 3) uint8."""
    generator = torch.Generator().manual_seed(seed)
    for _ in range(steps):
        rows = torch.randint(len(pictures), (batch,), generator=generator)
        yield _normalised(pictures[rows.to(pictures.device)].to(device), size)


def _normalised(pictures: torch.Tensor, size: int) -> torch.Tensor:
    x = pictures.permute(0, 3, 1, 2).float() / 127.5 - 1
    return F.interpolate(x, size=(size, size), mode="bilinear", antialias=True, align_corners=False)


def train_painter(
    spec: Painter,
    pictures: torch.Tensor,
    steps: int,
    seed: int,
    device: str,
    batch: int = 16,
    seconds: float = math.inf,
) -> AutoEncoder:
    """An auto-encoder after `steps` steps, or as many as `seconds` allow, on portraits (N, S, S, 3) uint8.

    The critic joins for the last two thirds.
    """
    began = time.monotonic()
    torch.manual_seed(seed)
    painter, critic, perception = (
        m.to(device, memory_format=torch.channels_last) for m in (AutoEncoder(spec), PatchCritic(), Perception())
    )
    for_painter = torch.optim.AdamW(painter.parameters(), 4e-4, betas=(0.5, 0.95))
    for_critic = torch.optim.AdamW(critic.parameters(), 4e-4, betas=(0.5, 0.95))
    dtype = torch.bfloat16 if device == "cuda" else torch.float32
    for step, drawn in enumerate(_batches(pictures, spec.size_px, batch, steps, seed, device)):
        genuine = drawn.contiguous(memory_format=torch.channels_last)
        elapsed = max(step / steps, (time.monotonic() - began) / seconds)
        if elapsed >= 1:
            break
        adversarial = spec.adversarial and elapsed > 1 / 3
        with torch.autocast(device, dtype=dtype, enabled=device == "cuda"):
            painted = painter(genuine)
            loss = F.l1_loss(painted, genuine) + 0.15 * perception(painted, genuine)
            if adversarial:
                loss = loss - 0.03 * critic(painted).float().mean()
        for_painter.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(painter.parameters(), 1.0)
        for_painter.step()
        if adversarial:
            with torch.autocast(device, dtype=dtype, enabled=device == "cuda"):
                real, fake = critic(genuine).float(), critic(painted.detach()).float()
                critic_loss = F.relu(1 - real).mean() + F.relu(1 + fake).mean()
            for_critic.zero_grad(set_to_none=True)
            critic_loss.backward()
            for_critic.step()
    return painter.eval()


@torch.no_grad()
def paint_all(painter: AutoEncoder, spec: Painter, pictures: torch.Tensor, seed: int, device: str) -> NDArray[np.uint8]:
    """Every portrait as the painter paints it, at the portraits' size. Shape (N, S, S, 3), uint8.

    A third of the codes get noise and another third a small warp: generators of moving portraits show both.
    """
    generator = torch.Generator().manual_seed(seed)
    out = np.empty(tuple(pictures.shape), np.uint8)
    side = pictures.shape[1]
    for start in range(0, len(pictures), 64):
        x = _normalised(pictures[start : start + 64].to(device), spec.size_px)
        codes = painter.encode(x)
        choice = torch.randint(3, (len(x), 1, 1, 1), generator=generator).to(device)
        noise = torch.randn(codes.shape, generator=generator).to(device) * codes.std((2, 3), keepdim=True) * 0.12
        warped = F.grid_sample(
            codes,
            _small_warp(len(x), codes.shape[2], generator).to(device),
            padding_mode="reflection",
            align_corners=False,
        )
        codes = torch.where(choice == 1, codes + noise, torch.where(choice == 2, warped, codes))
        painted = F.interpolate(painter.decode(codes).float(), size=(side, side), mode="bicubic", align_corners=False)
        pixels = ((painted + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
        out[start : start + 64] = pixels.permute(0, 2, 3, 1).cpu().numpy()
    return out


def _small_warp(count: int, side: int, generator: torch.Generator) -> torch.Tensor:
    """Smooth random sampling grids (count, side, side, 2) that move by some hundredths of the picture."""
    identity = F.affine_grid(torch.eye(2, 3).repeat(count, 1, 1), [count, 1, side, side], align_corners=False)
    coarse = torch.randn(count, 2, 4, 4, generator=generator) * 0.02
    shift = F.interpolate(coarse, size=(side, side), mode="bicubic", align_corners=False)
    return identity + shift.permute(0, 2, 3, 1)
