"""Train a module's network: `python manage.py train space --data FOLDER`."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

TRAINABLE = ("space",)
WAY_OUT = "Install what training needs: pip install -r requirements-train.txt"


class Command(BaseCommand):
    help = "Trains a module's network from genuine photographs and writes its weights, reproducibly."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("module", choices=TRAINABLE)
        parser.add_argument("--data", type=Path, required=True, help="folder with train_real.tsv and the photographs")
        parser.add_argument(
            "--out", type=Path, default=Path("work_dirs/space"), help="checkpoints and logs; resumes from it"
        )
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--steps", type=int, help="steps of the network (default: by device)")
        parser.add_argument("--batch", type=int, help="pairs in a step (default: by device)")
        parser.add_argument(
            "--painter-steps", type=int, help="of each auto-encoder that paints faces; 0: without (default on a CPU)"
        )
        parser.add_argument("--sheet", type=Path, help="only write a contact sheet of training pairs to this PNG")
        parser.add_argument("--install", action="store_true", help="put the new weights in place of the shipped ones")

    def handle(self, *args: Any, **options: Any) -> None:
        data, out = options["data"], settings.BASE_DIR / options["out"]
        if not (data / "train_real.tsv").is_file():
            raise CommandError(f"{data} has no train_real.tsv: name the folder that holds it with --data.")
        try:
            from detection.training import prepare, recipes, sheet
            from detection.training.dataset import PortraitFolder
            from detection.training.export import export
        except ImportError as error:
            raise CommandError(f"Training cannot start: {error}. {WAY_OUT}") from error

        portraits = out / "portraits"
        if not list(portraits.glob("portraits*.npz")):
            prepare.prepare(data, portraits, self._progress)
        if options["sheet"]:
            sheet.write_sheet(PortraitFolder(portraits), options["sheet"], options["seed"])
            self.stdout.write(f"{options['sheet']}")
            return
        recipes.paint(portraits, out / "painted", self._progress, options["seed"], options["painter_steps"])
        plan = recipes.default_plan()
        given = {name: options[name] for name in ("steps", "batch") if options[name]}
        plan = replace(plan, seed=options["seed"], **given)
        try:
            weights = recipes.train_networks(portraits, out / "painted", out, self._progress, (recipes.SPACE,), plan)
        except ValueError as error:
            raise CommandError(str(error)) from error
        difference = export(weights["space"], out / "space.onnx")
        figures = {"steps": plan.steps, "pairs": plan.steps * plan.batch, "seed": plan.seed, "export_error": difference}
        (out / "space.json").write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
        if options["install"]:
            recipes.install(out / "space.onnx")
        self.stdout.write(f"{out / 'space.onnx'}: {json.dumps(figures)}")

    def _progress(self, stage: str, done: int, total: int) -> None:
        self.stderr.write(f"{stage} {done}/{total}")
