"""`manage.py relight IN OUT`: a portrait video under a light of one's choice."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from detection.jobs.relighting import engine_settings
from detection.management.reports import ProgressLine
from relitalk.backends import BACKENDS, produce
from relitalk.engine import Progress
from relitalk.errors import RelightError
from relitalk.light import PRESETS, Light
from relitalk.request import Request

EXIT_NOT_DONE = 2
EXIT_INTERRUPTED = 130


class Command(BaseCommand):
    help = (
        "Relight the people in a video. Azimuth + is the viewer's right, elevation + is up, in degrees; the light is "
        "fixed in the scene for the whole clip. Exit status: 0 done, 2 the video could not be relit (it says why)."
    )
    requires_system_checks: list[str] = []  # noqa: RUF012 what is missing is the reason in the result

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("input", metavar="IN", type=Path)
        parser.add_argument("output", metavar="OUT", type=Path, help="an .mp4")
        parser.add_argument(
            "--preset", choices=list(PRESETS), help="a light to start from; the numbers below change it"
        )
        parser.add_argument("--azimuth", type=float, dest="azimuth_deg", metavar="A")
        parser.add_argument("--elevation", type=float, dest="elevation_deg", metavar="E")
        parser.add_argument("--intensity", type=float, metavar="I", help="1: a frontal light as bright as the clip was")
        parser.add_argument("--ambient", type=float, metavar="B")
        parser.add_argument("--softness", type=float, metavar="S", help="0 a lamp with a shadow, 1 an overcast sky")
        parser.add_argument(
            "--colour", type=float, nargs=3, metavar=("R", "G", "B"), help="linear factors, 1 1 1 is white"
        )
        parser.add_argument("--fixed-to", choices=("scene", "head"), help="what the direction is relative to")
        parser.add_argument("--sweep", type=float, metavar="S", help="turn the light around the head once in S seconds")
        parser.add_argument("--person", type=int, metavar="N", help="relight this one alone (numbers as in --json)")
        parser.add_argument("--frames", type=Path, metavar="DIR", help="write every relit frame there as PNG, too")
        default = "remote" if settings.RELITALK_URL else "embedded"
        parser.add_argument("--backend", choices=BACKENDS, default=default, help="%(default)s unless said otherwise")
        parser.add_argument("--subject", default="", help="the trained ReliTalk subject, for the checkpoint backend")
        parser.add_argument("--checkpoint", default="latest", help="its epoch")
        parser.add_argument("--json", action="store_true", help="one JSON object with the manifest on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        source, target = options["input"], options["output"]
        if target.suffix.lower() != ".mp4":
            raise CommandError(f"{target} must end in .mp4: that is what is written.")
        if source.resolve() == target.resolve():
            raise CommandError("OUT is IN itself; name another file, so that the source is not lost.")
        if options["frames"] is not None and options["backend"] != "embedded":
            raise CommandError("--frames works with the embedded backend alone.")
        request = Request(
            _light_of(options), options["person"], options["sweep"], options["subject"], options["checkpoint"]
        )
        line = ProgressLine(sys.stderr, source.name)

        def show(progress: Progress) -> None:
            line(progress.stage, progress.done, progress.total or 0)

        try:
            manifest = produce(
                source, request, target, settings=engine_settings(), backend=options["backend"],
                frames_dir=options["frames"], progress=show,
            )  # fmt: skip
        except RelightError as error:
            line.clear()
            if options["json"]:
                print(
                    json.dumps({"video": source.name, "error": str(error), "reason": error.reason}, ensure_ascii=False)
                )
            print(f"{source}: {error}", file=sys.stderr)
            sys.exit(EXIT_NOT_DONE)
        except KeyboardInterrupt:
            line.clear()
            sys.exit(EXIT_INTERRUPTED)
        line.clear()
        if options["json"]:
            print(json.dumps({"video": source.name, "output": str(target)} | manifest, ensure_ascii=False))
        else:
            print(_summary(target, manifest))


def _light_of(options: dict[str, Any]) -> Light:
    names = ("azimuth_deg", "elevation_deg", "intensity", "ambient", "softness", "colour", "fixed_to")
    given = {name: options[name] for name in names if options[name] is not None}
    if "colour" in given:
        given["colour"] = tuple(given["colour"])
    if options["preset"] is None and not {"azimuth_deg", "elevation_deg"} <= given.keys():
        raise CommandError("Say where the light comes from: --azimuth and --elevation, or --preset.")
    try:
        return replace(PRESETS[options["preset"]] if options["preset"] else Light(), **given)
    except ValueError as error:
        raise CommandError(str(error)) from error


def _summary(target: Path, manifest: dict[str, Any]) -> str:
    report = manifest.get("report")
    if report is None:
        return f"{target}: {manifest['frames']} frames by {manifest['engine']}"
    measures = report["measures"]
    lines = [
        f"{target}: {report['frames_relit']} of {report['frames']} frames relit, "
        f"{report['frames_without_face']} without a face, {report['frames_per_second']:.1f} frames/s",
        *(
            f"  person {light['person']} was lit from azimuth {light['azimuth_deg']:.0f}°, elevation "
            f"{light['elevation_deg']:.0f}° (ambient {light['ambient']:.0%}) from {light['from_s']:.1f} s on"
            for light in report["source_lights"]
        ),
        *(f"  {name}: {value:.3f}" for name, value in measures.items() if value is not None),
    ]
    return "\n".join(lines)
