"""Train a module: `python manage.py train space --data FOLDER`."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

TRAINABLE = ("space", "blend", "feature")
WAY_OUT = "Install what training needs: pip install -r requirements-train.txt"


class Command(BaseCommand):
    help = "Trains a module from genuine faces and writes its weights, reproducibly."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("module", choices=TRAINABLE)
        parser.add_argument("--data", type=Path, required=True, help="folder with train_real.tsv and the photographs")
        parser.add_argument(
            "--out", type=Path, help="checkpoints and logs; resumes from it (default: work_dirs/MODULE)"
        )
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--steps", type=int, help="steps of the network (default: by device)")
        parser.add_argument("--batch", type=int, help="pairs in a step (default: by device)")
        parser.add_argument(
            "--start", type=Path, help="weights to begin with: a .pt of an earlier run, or a shipped .onnx"
        )
        parser.add_argument(
            "--painter-steps", type=int, help="of each auto-encoder that paints faces; 0: without (default on a CPU)"
        )
        parser.add_argument("--repeats", type=int, default=2, help="journeys of every shot, for feature")
        parser.add_argument("--sheet", type=Path, help="only write a contact sheet of training pairs to this PNG")
        parser.add_argument("--install", action="store_true", help="put the new weights in place of the shipped ones")

    def handle(self, *args: Any, **options: Any) -> None:
        data = options["data"]
        if not (data / "train_real.tsv").is_file():
            raise CommandError(f"{data} has no train_real.tsv: name the folder that holds it with --data.")
        if options["start"] and not options["start"].is_file():
            raise CommandError(f"{options['start']} is not there: --start names a file with weights.")
        folder = "space" if options["module"] == "blend" else options["module"]  # two maps of one network, trained once
        out = settings.BASE_DIR / (options["out"] or Path("work_dirs") / folder)
        try:
            from detection.training import prepare

            portraits = out / "portraits"
            if not list(portraits.glob("portraits*.npz")):
                prepare.prepare(data, portraits, self._progress)
            if options["sheet"]:
                self._write_sheet(portraits, options)
            elif options["module"] == "feature":
                self._train_feature(data, portraits, out, options)
            else:
                self._train_network(portraits, out, options)
        except ImportError as error:
            raise CommandError(f"Training cannot start: {error}. {WAY_OUT}") from error

    def _write_sheet(self, portraits: Path, options: dict[str, Any]) -> None:
        from detection.training import sheet
        from detection.training.dataset import PortraitFolder

        sheet.write_sheet(PortraitFolder(portraits), options["sheet"], options["seed"])
        self.stdout.write(f"{options['sheet']}")

    def _train_network(self, portraits: Path, out: Path, options: dict[str, Any]) -> None:
        from detection.training import recipes
        from detection.training.export import export

        recipes.paint(portraits, out / "painted", self._progress, options["seed"], options["painter_steps"])
        given = {name: options[name] for name in ("steps", "batch") if options[name]}
        plan = replace(recipes.default_plan(), seed=options["seed"], **given)
        start = {recipes.SPACE.name: options["start"]} if options["start"] else None
        try:
            weights = recipes.train_networks(
                portraits, out / "painted", out, self._progress, (recipes.SPACE,), plan, start_from=start
            )
        except ValueError as error:
            raise CommandError(str(error)) from error
        module = options["module"]
        network = out / f"{module}.onnx"
        difference = export(weights[recipes.SPACE.name], network, recipes.MAP_OF[module])
        figures = {"steps": plan.steps, "pairs": plan.steps * plan.batch, "seed": plan.seed, "export_error": difference}
        network.with_suffix(".json").write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
        if options["install"]:
            recipes.install(network, module)
        self.stdout.write(f"{network}: {json.dumps(figures)}")

    def _train_feature(self, data: Path, portraits: Path, out: Path, options: dict[str, Any]) -> None:
        from detection.training import feature_recipe as recipe
        from detection.training.shots import gather_shots

        shots, forged, labelled = out / "shots", out / "forged.tsv", out / "labelled.tsv"
        if not shots.exists():
            gather_shots(data / "talking_heads", shots, self._progress)
        if not forged.exists():
            recipe.write_rows(recipe.forge_table(shots, portraits, options["repeats"], options["seed"]), forged)
        if not labelled.exists():
            recipe.write_rows(recipe.labelled_table(data / "dev_video.tsv"), labelled)
        rows, clips = recipe.read_rows(forged), recipe.read_rows(labelled)
        model = recipe.fit(rows, clips)
        (out / "feature.json").write_text(model.to_json(), encoding="utf-8")
        recipe.write_logits(model, clips, out / "logits.tsv")
        if options["install"]:
            recipe.ship(model, len(rows))
        self.stdout.write(f"{out / 'feature.json'}: {len(rows)} sequences, {len(clips)} labelled clips")

    def _progress(self, stage: str, done: int, total: int) -> None:
        self.stderr.write(f"{stage} {done}/{total}")
