"""`manage.py relight_server`: relights for other machines, on the one that has the GPU."""

from __future__ import annotations

import signal
import sys
import threading
from argparse import ArgumentParser
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from detection.jobs.relighting import engine_settings
from relitalk.server import RelightServer


class Command(BaseCommand):
    help = (
        "Serve relighting over HTTP to sites whose RELITALK_URL is this address. RELITALK_TOKEN must be the same on "
        "both sides. Jobs and videos are kept in the folder; a restart goes on where the server was ended."
    )
    requires_system_checks: list[str] = []  # noqa: RUF012 the web side is not served here

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="%(default)s unless said otherwise")
        parser.add_argument("--port", type=int, default=8017, help="%(default)s; 0 takes a free one")
        parser.add_argument("--folder", type=Path, default=Path(settings.MEDIA_ROOT) / "relight_server")

    def handle(self, *args: Any, **options: Any) -> None:
        here = replace(engine_settings(), remote_url="", remote_token="")  # it passes nothing on
        try:
            server = RelightServer((options["host"], options["port"]), settings.RELITALK_TOKEN, options["folder"], here)
        except ValueError as error:
            raise CommandError(f"RELITALK_TOKEN: {error}") from error
        except OSError as error:
            raise CommandError(
                f"Cannot serve on {options['host']}:{options['port']} with {options['folder']}: {error}. "
                "Take another --port or --folder."
            ) from error
        signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
        host, port = server.server_address[:2]
        print(f"Relighting on http://{host!s}:{port}", flush=True)
        try:
            server.serve_forever(poll_interval=0.2)
        except KeyboardInterrupt:
            pass
        finally:
            server.close()
        sys.exit(0)
