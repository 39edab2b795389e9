"""The training loop: several networks may learn from one stream of pairs, each from its own kinds of forgery."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from detection.training import forgeries
from detection.training.dataset import PairStream, Progress
from detection.training.network import FaceForgeryNet


@dataclass(frozen=True)
class Student:
    """One network to train. `target`: the manipulated `region` or its `boundary` (Face X-ray, Li et al., CVPR 2020)."""

    name: str
    kinds: tuple[str, ...] = forgeries.KINDS
    target: str = "region"


@dataclass(frozen=True)
class TrainPlan:
    """`batch` counts pairs, so twice as many crops. The learning rate warms up, then falls as a cosine."""

    steps: int
    batch: int = 32
    learning_rate: float = 1e-3
    weight_decay: float = 0.02
    warmup_steps: int = 100
    map_weight: float = 1.0
    average_decay: float = 0.995
    seed: int = 0
    workers: int = 2
    checkpoint_every: int = 500
    kind_weights: tuple[float, ...] = forgeries.KIND_WEIGHTS


class _Learner:
    """A network with its optimiser and the moving average of its weights, which is what ships."""

    def __init__(self, student: Student, plan: TrainPlan, device: str, start_from: Path | None = None) -> None:
        torch.manual_seed(plan.seed)
        self.student, self.plan, self.device = student, plan, device
        net = FaceForgeryNet(pretrained=start_from is None)
        if start_from is not None:
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
        labels = torch.cat([torch.zeros(len(crops)), torch.ones(len(crops))]).to(self.device)
        wanted = torch.cat([torch.zeros_like(masks), _target(masks, self.student.target)])
        with torch.autocast(self.device, dtype=torch.bfloat16):
            logits, maps = self.net(both)
        class_loss = F.binary_cross_entropy_with_logits(logits.float(), labels * 0.98 + 0.01, reduction="none")
        map_loss = F.binary_cross_entropy_with_logits(maps[:, 0].float(), wanted, reduction="none").mean((1, 2))
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


def _target(masks: torch.Tensor, target: str) -> torch.Tensor:
    return 4 * masks * (1 - masks) if target == "boundary" else masks


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
    `start_from` names weights of an earlier run to begin with instead of ImageNet's.
    """
    folder.mkdir(parents=True, exist_ok=True)
    learners = [_Learner(student, plan, device, (start_from or {}).get(student.name)) for student in students]
    checkpoint, log = folder / "checkpoint.pt", folder / "train.jsonl"
    first = _resume(checkpoint, plan, learners)
    began = time.monotonic()
    step = float(first)
    for number, batch in enumerate(_stream(portraits, plan, first), start=first):
        crops, masks, kinds = (part.to(device, non_blocking=True) for part in batch)
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
