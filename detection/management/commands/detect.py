"""`manage.py detect VIDEO…`: the analysis without a browser."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from detection.management.detecting import detect, videos_in
from detection.management.isolation import Analyst
from detection.management.reports import ProgressLine, Table, as_json
from detection.modules import MODULES

EXIT_NOT_ALL = 2
EXIT_INTERRUPTED = 130


class Command(BaseCommand):
    help = (
        "Find out whether faces in videos were forged. The results also appear in the site's history. "
        "Exit status: 0 every video has a result, 2 some have none (the reason is given for each)."
    )
    requires_system_checks: list[str] = []  # noqa: RUF012 what is missing is the reason in the result

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("videos", nargs="+", metavar="VIDEO", help="a file, or a folder for all videos in it")
        parser.add_argument("--module", action="append", choices=list(MODULES), help="only this one (may be repeated)")
        parser.add_argument("--json", action="store_true", help="one JSON object per video on stdout, a line each")
        parser.add_argument("--no-record", action="store_true", help="keep nothing: no copy of the video, no history")

    def handle(self, *args: Any, **options: Any) -> None:
        modules = list(dict.fromkeys(options["module"] or MODULES))
        record_in = None if options["no_record"] else Path(settings.MEDIA_ROOT)
        videos = videos_in(options["videos"])
        table = None if options["json"] else Table(sys.stdout, [str(video) for video in videos])
        limits = {"timeout_s": settings.DEEPFAKE_RUN_TIMEOUT_S, "memory_mb": settings.DEEPFAKE_MAX_MEMORY_MB}
        with Analyst(**limits) as analyst:
            has_score = [
                self._detect(analyst, video, modules, record_in, f"[{number}/{len(videos)}] {video.name}", table)
                for number, video in enumerate(videos, 1)
            ]
        if not all(has_score):
            sys.exit(EXIT_NOT_ALL)

    def _detect(
        self,
        analyst: Analyst,
        video: Path,
        modules: list[str],
        record_in: Path | None,
        label: str,
        table: Table | None,
    ) -> bool:
        """Analyse and print one video; whether it has a score."""
        line = ProgressLine(sys.stderr, label)
        try:
            detection = detect(video, modules, line, record_in, analyst)
        except OSError as error:
            raise CommandError(
                f"Nothing can be recorded below {record_in}: {error}. Make room and give the right to write there, "
                "name another folder in DEEPFAKE_MEDIA, or use --no-record."
            ) from error
        except KeyboardInterrupt:
            sys.exit(EXIT_INTERRUPTED)
        finally:
            line.clear()
        if table is not None:
            table.row(detection)
        else:
            print(json.dumps(as_json(detection), ensure_ascii=False), flush=True)
            if detection.explanation:
                print(f"{detection.video}: {detection.explanation}", file=sys.stderr)
        return detection.has_score
