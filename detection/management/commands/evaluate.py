"""`manage.py evaluate FOLDER`: how good the detectors are on clips of which the truth is known."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn, cast

from django.conf import settings
from django.core.management.base import BaseCommand

from detection.evaluation.folders import Clip, FolderError, read_folder
from detection.evaluation.recompress import Variant, variants
from detection.evaluation.report import as_json, as_text
from detection.evaluation.run import Row, Step, judges_of, run
from detection.evaluation.summary import Evaluation, summarise
from detection.inference import session
from detection.management.reports import ProgressLine
from detection.modules import MODULES
from detection.pipeline import Options, versions
from detection.records.files import write_atomic

EXIT_NO_FIGURES = 2
EXIT_INTERRUPTED = 130


class Command(BaseCommand):
    help = (
        "Measure the detectors on FOLDER/real and FOLDER/fake. An index.tsv in FOLDER (or FOLDER.tsv beside it) with "
        "the columns file, label, method, pair adds figures per method and per pair. What was analysed before is not "
        "analysed again. Exit status: 0 there are figures, 2 there are none (the reason is given)."
    )
    requires_system_checks: list[str] = []  # noqa: RUF012 what is missing is the reason in the result

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", metavar="FOLDER", type=Path)
        parser.add_argument("--module", action="append", choices=list(MODULES), help="only this one (may be repeated)")
        parser.add_argument("--json", action="store_true", help="one JSON object on stdout instead of the tables")
        parser.add_argument("--html", metavar="FILE", type=Path, help="write a page with plots there, too")
        parser.add_argument(
            "--recompress",
            metavar="LIST",
            default="",
            help="also measure changed copies: any of crf0…crf51, half, crop, mirror, bright, separated by commas",
        )
        parser.add_argument("--seed", type=int, default=0, help="of the intervals")
        parser.add_argument("--no-cache", action="store_true", help="analyse every clip anew, and keep nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        folder, page = options["folder"], options["html"]
        try:
            changes = variants(options["recompress"])
            clips = read_folder(folder)
        except (FolderError, ValueError) as error:
            _fail(str(error))
        if page is not None and not page.parent.is_dir():
            _fail(f"There is no folder {page.parent} to write {page.name} into.")
        if page is not None and page.is_dir():
            _fail(f"{page} is a folder. Name a file in it, such as {page / 'evaluation.html'}.")
        modules = options["module"] or list(MODULES)
        cache = None if options["no_cache"] else Path(settings.MEDIA_ROOT) / "evaluation"
        session.configure(device=cast(session.Device, settings.DEEPFAKE_DEVICE), threads=settings.DEEPFAKE_THREADS)
        try:
            rows = _analyse(clips, modules, cache, None)
            changed = {variant.name: _analyse(clips, modules, cache, variant) for variant in changes}
        except OSError as error:
            kept = f" and to write below {cache}, or use --no-cache" if cache else ""
            _fail(f"{error}. Give the right to read the clips{kept}.")
        except KeyboardInterrupt:
            print("Interrupted. What was analysed is kept: start again to go on.", file=sys.stderr)
            sys.exit(EXIT_INTERRUPTED)
        evaluation = summarise(str(folder), judges_of(modules), rows, changed, versions(), seed=options["seed"])
        print(as_json(evaluation) if options["json"] else as_text(evaluation))
        if page is not None:
            _write_page(page, evaluation)
        if not any(report.fakes and report.genuine for report in evaluation.judges):
            reasons = "; ".join(sorted({row.outcome.detail or "no reason given" for row in rows})[:3])
            _fail(f"No module gave a result for clips of both kinds: {reasons}")


def _analyse(clips: Sequence[Clip], modules: Sequence[str], cache: Path | None, variant: Variant | None) -> list[Row]:
    """The rows of all clips, with progress on stderr."""
    what = f" ({variant.name})" if variant else ""
    line: ProgressLine | None = None
    shown: Clip | None = None

    def show(step: Step) -> None:
        nonlocal line, shown
        if line is None or step.clip is not shown:
            shown = step.clip
            line = ProgressLine(sys.stderr, f"[{step.number}/{step.clips}] {step.clip.name}{what}")
        line(step.stage, step.done, step.total)

    options = Options(max_duration_s=settings.DEEPFAKE_MAX_DURATION_S)
    try:
        return list(run(clips, modules, show, cache_dir=cache, variant=variant, options=options))
    finally:
        if line is not None:
            line.clear()


def _write_page(page: Path, evaluation: Evaluation) -> None:
    from detection.evaluation.page import as_html

    try:
        write_atomic(page, as_html(evaluation).encode())
    except OSError as error:
        _fail(f"{page} cannot be written: {error.strerror}. Name another file with --html.")


def _fail(message: str) -> NoReturn:
    print(message, file=sys.stderr)
    sys.exit(EXIT_NO_FIGURES)
