"""The training loop: several networks may learn from one stream of pairs, each from its own kinds of forgery."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from detection.training import forgeries
from detection.training.dataset import PairStream, Progress
from detection.training.network import FaceForgeryNet
from detection.training.shipped import load_shipped
from detection.vision.types import CROP_SIZE_PX

LEAST_ALPHA = 0.1  # of a blended pixel that can be told from its surroundings


@dataclass(frozen=True)
class Student:
    """One network to train, and the kinds of forgery that it learns from."""

    name: str
    kinds: tuple[str, ...] = forgeries.KINDS


@dataclass(frozen=True)
class TrainPlan:
    """`batch` counts pairs, so twice as many crops. The learning rate warms up, then falls as a cosine.

    `window_px`: side of the windows cut from the crops at random, a multiple of 32. Windows keep the scale of the
    pixels and cost less than whole crops; the maps are learned from what is in them.
    """

    steps: int
    batch: int = 32
    learning_rate: float = 1e-3
    weight_decay: float = 0.02
    warmup_steps: int = 100
    map_weight: float = 1.0
    window_px: int = CROP_SIZE_PX
    average_decay: float = 0.995
    seed: int = 0
    workers: int = 2
    checkpoint_every: int = 500
    kind_weights: tuple[float, ...] = forgeries.KIND_WEIGHTS


class _Learner:
    """A network with its optimiser and the moving average of its weights, which is what ships."""

    def __init__(
        self,
        student: Student,
        plan: TrainPlan,
        device: str,
        first_crops: Callable[[], torch.Tensor],
        start_from: Path | None = None,
    ) -> None:
        torch.manual_seed(plan.seed)
        self.student, self.plan, self.device = student, plan, device
        net = FaceForgeryNet(pretrained=start_from is None)
        if start_from is not None and start_from.suffix == ".onnx":
            load_shipped(net, start_from, first_crops())
        elif start_from is not None:
            net.load_state_dict(torch.load(start_from, map_location="cpu", weights_only=True))
        self.net = net.to(device, memory_format=torch.channels_last)
        decayed = [p for p in self.net.parameters() if p.ndim > 1]
        plain = [p for p in self.net.parameters() if p.ndim <= 1]
        groups: list[dict[str, Any]] = [{"params": decayed}, {"params": plain, "weight_decay": 0.0}]
        self.optimiser = torch.optim.AdamW(groups, plan.learning_rate, weight_decay=plan.weight_decay)
        self.average = torch.optim.swa_utils.AveragedModel(
            self.net, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(plan.average_decay), use_buffers=True
        )
        self._allowed = torch.tensor([kind in student.kinds for kind in forgeries.KINDS], device=device)

    def learn(self, crops: torch.Tensor, masks: torch.Tensor, kinds: torch.Tensor, step: int) -> dict[str, float]:
        """One step on pairs: crops (B, 2, 3, S, S) float, genuine first; masks (B, M, M); kinds (B,)."""
        for group in self.optimiser.param_groups:
            group["lr"] = self.plan.learning_rate * _schedule(step, self.plan)
        self.net.train()
        weight = self._allowed[kinds].float().repeat(2)
        both = torch.cat([crops[:, 0], crops[:, 1]]).contiguous(memory_format=torch.channels_last)
        forged = (masks.amax((1, 2)) > LEAST_ALPHA).float()  # a window beside the forged part is genuine
        labels = torch.cat([torch.zeros_like(forged), forged])
        targets = torch.stack([masks, 4 * masks * (1 - masks)], 1)
        wanted = torch.cat([torch.zeros_like(targets), targets])
        with torch.autocast(self.device, dtype=torch.bfloat16, enabled=has_fast_bfloat16(self.device)):
            logits, maps = self.net(both)
        class_loss = F.binary_cross_entropy_with_logits(logits.float(), labels * 0.98 + 0.01, reduction="none")
        map_loss = F.binary_cross_entropy_with_logits(maps.float(), wanted, reduction="none").mean((1, 2, 3))
        total = weight.sum().clamp(min=1)
        loss = ((class_loss + self.plan.map_weight * map_loss) * weight).sum() / total
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.net.parameters(), 2.0)
        self.optimiser.step()
        self.average.update_parameters(self.net)
        right = ((logits > 0).float() == labels).float()
        return {
            "class_loss": float((class_loss.detach() * weight).sum() / total),
            "map_loss": float((map_loss.detach() * weight).sum() / total),
            "accuracy": float((right * weight).sum() / total),
        }

    def state(self) -> dict[str, Any]:
        return {
            "net": self.net.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
        }

    def load(self, state: dict[str, Any]) -> None:
        self.net.load_state_dict(state["net"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])


def has_fast_bfloat16(device: str) -> bool:
    """Whether the processor computes in bfloat16; one that only emulates it is ten times slower so."""
    return device != "cpu" or torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()


def window(crops: torch.Tensor, masks: torch.Tensor, side_px: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The same random square of a batch's crops (B, 2, 3, S, S) and masks (B, M, M), on the grid of the masks."""
    cell = crops.shape[-1] // masks.shape[-1]
    cells = side_px // cell
    x, y = np.random.default_rng(seed).integers(0, masks.shape[-1] - cells + 1, 2)
    part = crops[..., y * cell : (y + cells) * cell, x * cell : (x + cells) * cell]
    return part, masks[:, y : y + cells, x : x + cells]


def _schedule(step: int, plan: TrainPlan) -> float:
    if step < plan.warmup_steps:
        return (step + 1) / plan.warmup_steps
    done = (step - plan.warmup_steps) / max(1, plan.steps - plan.warmup_steps)
    return 0.5 * (1 + math.cos(math.pi * min(1.0, done))) * 0.99 + 0.01


def train(
    students: tuple[Student, ...],
    plan: TrainPlan,
    portraits: forgeries.Portraits,
    folder: Path,
    device: str,
    progress: Progress,
    deadline_s: float | None = None,
    start_from: dict[str, Path] | None = None,
) -> dict[str, Path]:
    """Trains every student and returns where its averaged weights lie (`folder/<name>.pt`, a plain state dict).

    Goes on from `folder/checkpoint.pt` when that is there and was made with the same plan. `deadline_s` shortens the
    run: the learning rate then follows the clock, so that a time-boxed machine still ends with a finished schedule.
    `start_from` names weights to begin with instead of ImageNet's: of an earlier run (.pt) or shipped ones (.onnx).
    """
    folder.mkdir(parents=True, exist_ok=True)
    first_crops = partial(_first_crops, portraits, plan)
    starts = start_from or {}
    learners = [_Learner(student, plan, device, first_crops, starts.get(student.name)) for student in students]
    checkpoint, log = folder / "checkpoint.pt", folder / "train.jsonl"
    first = _resume(checkpoint, plan, learners)
    began = time.monotonic()
    step = float(first)
    for number, batch in enumerate(_stream(portraits, plan, first), start=first):
        crops, masks, kinds = (part.to(device, non_blocking=True) for part in batch)
        crops, masks = window(crops, masks, plan.window_px, plan.seed + number)
        step = number if deadline_s is None else max(number, plan.steps * (time.monotonic() - began) / deadline_s)
        figures = {learner.student.name: learner.learn(crops.float(), masks, kinds, int(step)) for learner in learners}
        if number % 20 == 0:
            progress("training", int(step), plan.steps)
            with log.open("a") as lines:
                seconds = round(time.monotonic() - began, 1)
                lines.write(json.dumps({"step": number, "seconds": seconds, **figures}) + "\n")
        if number and number % plan.checkpoint_every == 0:
            _save(checkpoint, plan, number + 1, learners)
        if step >= plan.steps - 1:
            break
    return {learner.student.name: _save_average(folder, learner) for learner in learners}


def _stream(portraits: forgeries.Portraits, plan: TrainPlan, first: int) -> Iterator[Any]:
    pairs = PairStream(portraits, (plan.steps - first) * plan.batch, plan.seed, first * plan.batch, plan.kind_weights)
    loader: Any = torch.utils.data.DataLoader(
        pairs, plan.batch, num_workers=plan.workers, drop_last=True, pin_memory=torch.cuda.is_available(),
        prefetch_factor=4 if plan.workers else None,
    )  # fmt: skip
    return iter(loader)


def _first_crops(portraits: forgeries.Portraits, plan: TrainPlan, pairs: int = 64) -> torch.Tensor:
    """Genuine and forged crops (2 · pairs, 3, S, S) to measure a network's activations on."""
    stream = PairStream(portraits, pairs, plan.seed, 0, plan.kind_weights)
    return torch.cat([stream[number][0] for number in range(pairs)]).float()


def _resume(checkpoint: Path, plan: TrainPlan, learners: list[_Learner]) -> int:
    if not checkpoint.exists():
        return 0
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    if state["plan"] != json.dumps(asdict(plan)):
        raise ValueError(f"{checkpoint} was made with another plan: {state['plan']}. Remove it to start anew.")
    for learner in learners:
        learner.load(state[learner.student.name])
    return int(state["step"])


def _save(checkpoint: Path, plan: TrainPlan, step: int, learners: list[_Learner]) -> None:
    state = {learner.student.name: learner.state() for learner in learners}
    partial = checkpoint.with_suffix(".partial")
    torch.save({"plan": json.dumps(asdict(plan)), "step": step, **state}, partial)
    partial.replace(checkpoint)


def _save_average(folder: Path, learner: _Learner) -> Path:
    path = folder / f"{learner.student.name}.pt"
    torch.save(learner.average.module.state_dict(), path)
    return path
