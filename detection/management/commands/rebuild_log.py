"""`manage.py rebuild_log`: makes media/log anew from media/runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from detection.records.rebuild import rebuild_log


class Command(BaseCommand):
    help = "Make the log that the history is read from anew, from the records of the runs."
    requires_system_checks: list[str] = []  # noqa: RUF012 it mends what may be broken

    def handle(self, *args: Any, **options: Any) -> None:
        report = rebuild_log(Path(settings.MEDIA_ROOT))
        self.stdout.write(f"{report.runs} finished runs, {report.lines} lines.")
        for problem in report.problems:
            self.stderr.write(f"Left out: {problem}")
