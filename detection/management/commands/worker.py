"""`manage.py worker`: works off the queue. The server starts one by itself, unless DEEPFAKE_START_WORKER=0."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from detection.jobs.control import control
from detection.jobs.worker import EXIT_BUSY, Worker, give_way_to_the_server


class Command(BaseCommand):
    help = "Work off the queue of media/ until SIGTERM or Ctrl-C. One worker at a time serves a media folder."
    requires_system_checks: list[str] = []  # noqa: RUF012 the server checked before it started this

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--supervised", type=int, metavar="PID", help="end with the process PID, its parent")
        parser.add_argument("--died", metavar="HOW", help="how the worker before this one ended, for the records")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["supervised"] is not None:
            give_way_to_the_server()
        worker = Worker(
            Path(settings.MEDIA_ROOT),
            control,
            timeout_s=settings.DEEPFAKE_RUN_TIMEOUT_S,
            parent=options["supervised"],
        )
        status = worker.run(options["died"])
        if status == EXIT_BUSY and options["supervised"] is None:
            raise CommandError(
                f"Another worker serves {settings.MEDIA_ROOT} already: the one of a running server, or one started by "
                "hand. Start the server with DEEPFAKE_START_WORKER=0 to run the worker on its own.",
                returncode=EXIT_BUSY,
            )
        sys.exit(status)
