"""How the shipped networks were made, step by step; `manage.py train` calls this, and so can a machine without Django.

python -m detection.training.recipes paint  PORTRAITS OUT [--seconds EACH]
python -m detection.training.recipes train  PORTRAITS OUT [--steps N] [--seconds S]
"""

from __future__ import annotations

import argparse
import math
import os
import shutil
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from detection.inference import weights
from detection.training import warps
from detection.training.autoencoders import PAINTERS, paint_all, train_painter
from detection.training.dataset import PORTRAIT_PX, PortraitFolder, Progress
from detection.training.loop import Student, TrainPlan, train

SPACE = Student("space")
SELF_BLENDED = Student("self_blended", ("self",))  # what the plain method of the paper gives, for the ablation table
STUDENTS = (SPACE, SELF_BLENDED)
MAP_OF = {"space": "region", "blend": "boundary"}  # which of network.MAPS each module ships

GPU_PLAN = TrainPlan(steps=3000, batch=64, learning_rate=8e-4, warmup_steps=100, workers=15)
CPU_PLAN = TrainPlan(steps=2000, batch=16, learning_rate=4e-4, workers=1, window_px=160, checkpoint_every=200)
GPU_PAINTER_STEPS, CPU_PAINTER_STEPS = 800, 0  # painting 5,800 portraits seven times takes hours on a CPU


def best_device() -> str:
    return "cuda" if torch.cuda.is_available() else "cpu"


def default_plan() -> TrainPlan:
    """What fits the machine: minutes on a GPU with many cores, an hour or two on two CPU cores."""
    plan = GPU_PLAN if best_device() == "cuda" else CPU_PLAN
    return replace(plan, workers=min(plan.workers, max(1, (os.cpu_count() or 2) - 1)))


def install(network: Path, module: str) -> None:
    """Puts an exported network among the assets as that of `module`, which must then be calibrated anew."""
    shutil.copyfile(network, weights.ASSETS / f"{module}.onnx")
    what = (
        f"{module.capitalize()}: RGB crops, NHWC, 256², uint8 → evidence (log of the marked area), {MAP_OF[module]} 32²"
    )
    licence = "Apache-2.0 (MODEL_CARD.md says on what data)"
    sha256, source = weights.sha256_of(network), f"trained by `manage.py train {module}` (MODEL_CARD.md)"
    weights.enrol(weights.Asset(module, f"{module}.onnx", sha256, what, source, licence))


def paint(
    portraits: Path,
    out: Path,
    progress: Progress,
    seed: int = 0,
    steps: int | None = None,
    seconds_each: float = math.inf,
) -> None:
    """Trains the auto-encoders and keeps the portraits as they paint them, `out/<name>.npy`, unless they are there."""
    out.mkdir(parents=True, exist_ok=True)
    device = best_device()
    torch.backends.cudnn.benchmark = True
    todo = [spec for spec in PAINTERS if not (out / f"{spec.name}.npy").exists()]
    if steps is None:
        steps = GPU_PAINTER_STEPS if device == "cuda" else CPU_PAINTER_STEPS
    if not todo or not steps:
        return
    folder = PortraitFolder(portraits)
    pictures = torch.empty((len(folder), PORTRAIT_PX, PORTRAIT_PX, 3), dtype=torch.uint8)
    for index in range(len(folder)):
        pictures[index] = torch.from_numpy(folder.portrait(index).image)
    if device == "cuda":
        pictures = pictures.to(device)
    for number, spec in enumerate(todo):
        progress(f"painter {spec.name}", number, len(todo))
        painter = train_painter(spec, pictures, steps, seed + number, device, seconds=seconds_each)
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
    start_from: dict[str, Path] | None = None,
) -> dict[str, Path]:
    """Trains on pairs made from the portraits and their painted copies; returns each network's averaged weights."""
    torch.backends.cudnn.benchmark = True
    copies = {path.stem: np.load(path, mmap_mode="r") for path in sorted(painted.glob("*.npy"))}
    folder = PortraitFolder(portraits, copies)
    warps.warm_up()  # compiled once, before the workers fork
    return train(students, plan, folder, out, best_device(), progress, deadline_s, start_from)


def _print(stage: str, done: int, total: int) -> None:
    print(f"{time.strftime('%H:%M:%S')} {stage} {done}/{total}", file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("step", choices=("paint", "train"))
    parser.add_argument("portraits", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--batch", type=int)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rate", type=float)
    parser.add_argument("--students", default="space")
    parser.add_argument("--start", type=Path, help="weights to begin with: a .pt of an earlier run, or a shipped .onnx")
    options = parser.parse_args()
    painted = options.out / "painted"
    if options.step == "paint":
        paint(options.portraits, painted, _print, options.seed, options.steps, options.seconds or math.inf)
        return
    plan = default_plan()
    plan = replace(
        plan,
        steps=options.steps or plan.steps,
        batch=options.batch or plan.batch,
        seed=options.seed,
        learning_rate=options.rate or plan.learning_rate,
    )
    students = tuple(student for student in STUDENTS if student.name in options.students.split(","))
    start = {student.name: options.start for student in students} if options.start else None
    trained = train_networks(options.portraits, painted, options.out, _print, students, plan, options.seconds, start)
    print("\n".join(str(path) for path in trained.values()))


if __name__ == "__main__":
    main()
