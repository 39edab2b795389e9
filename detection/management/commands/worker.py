"""`manage.py worker`: works off the queue. The server starts one by itself, unless DEEPFAKE_START_WORKER=0."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from detection.jobs import presence, queues
from detection.jobs.control import control
from detection.jobs.limits import confine
from detection.jobs.worker import EXIT_BUSY, Worker, give_way_to_the_server


class Command(BaseCommand):
    help = (
        "Work off the queue until SIGTERM or Ctrl-C. One worker at a time serves a media folder; with "
        "DEEPFAKE_QUEUE on Redis there may be any number, on machines that share media/."
    )
    requires_system_checks: list[str] = []  # noqa: RUF012 the server checked before it started this

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--supervised", type=int, metavar="PID", help="end with the process PID, its parent")
        parser.add_argument("--name", help="what this worker is called, with a queue on Redis; else host and process")
        parser.add_argument("--died", metavar="HOW", help="how the worker before this one ended, for the records")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["supervised"] is not None:
            give_way_to_the_server()
        confine()
        run = self._on_redis if queues.on_redis() else self._on_files
        sys.exit(run(options))

    @staticmethod
    def _on_redis(options: dict[str, Any]) -> int:
        from redis.exceptions import RedisError

        from detection.jobs.redis_queue import check_connection
        from detection.jobs.redis_worker import RedisWorker

        parent = options["supervised"]
        name = options["name"] or (presence.handmade_worker() if parent is None else presence.servers_worker())
        try:
            presence.checked_name(name)
        except ValueError as error:
            raise CommandError(f"--name: {error}") from error
        try:
            worker = RedisWorker(
                Path(settings.MEDIA_ROOT),
                name,
                control,
                timeout_s=settings.DEEPFAKE_RUN_TIMEOUT_S,
                parent=parent,
                memory_mb=settings.DEEPFAKE_MAX_MEMORY_MB,
            )
            status = worker.run(options["died"])
        except RedisError as error:
            raise CommandError(f"Redis (DEEPFAKE_QUEUE) cannot be used: {check_connection() or error}") from error
        if status == EXIT_BUSY and parent is None:
            raise CommandError(f"A worker named {name} lives already. Give each its own --name.", returncode=EXIT_BUSY)
        return status

    @staticmethod
    def _on_files(options: dict[str, Any]) -> int:
        parent = options["supervised"]
        worker = Worker(
            Path(settings.MEDIA_ROOT),
            control,
            timeout_s=settings.DEEPFAKE_RUN_TIMEOUT_S,
            parent=parent,
            memory_mb=settings.DEEPFAKE_MAX_MEMORY_MB,
        )
        status = worker.run(options["died"])
        if status == EXIT_BUSY and parent is None:
            raise CommandError(
                f"Another worker serves {settings.MEDIA_ROOT} already: the one of a running server, or one started by "
                "hand. Start the server with DEEPFAKE_START_WORKER=0 to run the worker on its own.",
                returncode=EXIT_BUSY,
            )
        return status
