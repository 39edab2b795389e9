"""How the shipped networks were made, step by step; `manage.py train` calls this, and so can a machine without Django.

python -m detection.training.recipes paint  PORTRAITS OUT [--only NAME,NAME]
python -m detection.training.recipes train  PORTRAITS OUT [--steps N] [--seconds S]
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from detection.training.autoencoders import PAINTERS, paint_all, train_painter
from detection.training.dataset import PORTRAIT_PX, PortraitFolder, Progress
from detection.training.loop import Student, TrainPlan, train

SPACE = Student("space")
BOUNDARY = Student("boundary", ("self", "swap", "regenerated"), "boundary")

GPU_PLAN = TrainPlan(steps=8000, batch=96, learning_rate=1.5e-3, warmup_steps=200, workers=15)
CPU_PLAN = TrainPlan(steps=3000, batch=16, learning_rate=6e-4, workers=1)
GPU_PAINTER_STEPS, CPU_PAINTER_STEPS = 2500, 150


def best_device() -> str:
    return "cuda" if torch.cuda.is_available() else "cpu"


def paint(portraits: Path, out: Path, progress: Progress, only: tuple[str, ...] = (), seed: int = 0, steps: int | None = None) -> None:
    """Trains the auto-encoders and keeps the portraits as they paint them: `out/<name>.npy`. One that is there is kept."""
    out.mkdir(parents=True, exist_ok=True)
    device = best_device()
    torch.backends.cudnn.benchmark = True
    todo = [spec for spec in PAINTERS if (not only or spec.name in only) and not (out / f"{spec.name}.npy").exists()]
    if not todo:
        return
    folder = PortraitFolder(portraits)
    pictures = torch.empty((len(folder), PORTRAIT_PX, PORTRAIT_PX, 3), dtype=torch.uint8)
    for index in range(len(folder)):
        pictures[index] = torch.from_numpy(folder.portrait(index).image)
    if device == "cuda":
        pictures = pictures.to(device)
    steps = steps or (GPU_PAINTER_STEPS if device == "cuda" else CPU_PAINTER_STEPS)
    for number, spec in enumerate(todo):
        progress(f"painter {spec.name}", number, len(todo))
        painter = train_painter(spec, pictures, steps, seed + number, device, batch=32 if device == "cuda" else 8)
        partial = out / f"{spec.name}.partial.npy"
        np.save(partial, paint_all(painter, spec, pictures, seed, device))
        partial.replace(out / f"{spec.name}.npy")


def train_networks(
    portraits: Path,
    painted: Path,
    out: Path,
    progress: Progress,
    students: tuple[Student, ...],
    plan: TrainPlan,
    deadline_s: float | None = None,
) -> dict[str, Path]:
    """Trains on pairs made from the portraits and their painted copies; returns each network's averaged weights."""
    torch.backends.cudnn.benchmark = True
    copies = {path.stem: np.load(path, mmap_mode="r") for path in sorted(painted.glob("*.npy"))}
    folder = PortraitFolder(portraits, copies)
    return train(students, plan, folder, out, best_device(), progress, deadline_s)


def _print(stage: str, done: int, total: int) -> None:
    print(f"{time.strftime('%H:%M:%S')} {stage} {done}/{total}", file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("step", choices=("paint", "train"))
    parser.add_argument("portraits", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--batch", type=int)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--students", default="space")
    options = parser.parse_args()
    painted = options.out / "painted"
    if options.step == "paint":
        only = tuple(name for name in options.only.split(",") if name)
        paint(options.portraits, painted, _print, only, options.seed, options.steps)
        return
    plan = GPU_PLAN if best_device() == "cuda" else CPU_PLAN
    plan = replace(
        plan, steps=options.steps or plan.steps, batch=options.batch or plan.batch, seed=options.seed,
        workers=min(plan.workers, max(1, (os.cpu_count() or 2) - 1)),
    )  # fmt: skip
    students = tuple(student for student in (SPACE, BOUNDARY) if student.name in options.students.split(","))
    weights = train_networks(options.portraits, painted, options.out, _print, students, plan, options.seconds)
    print("\n".join(str(path) for path in weights.values()))


if __name__ == "__main__":
    main()
