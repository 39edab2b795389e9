"""`manage.py passphrase`: makes the hash that a site which others can reach needs in its environment."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from getpass import getpass
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from detection.web.access import passphrase


class Command(BaseCommand):
    help = "Ask for a passphrase and print the line for the environment: DEEPFAKE_PASSPHRASE_HASH=… Nothing is kept."
    requires_system_checks: list[str] = []  # noqa: RUF012 one of them asks for what this makes

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--stdin", action="store_true", help="read it from standard input instead of asking")

    def handle(self, *args: Any, **options: Any) -> None:
        given = sys.stdin.readline().rstrip("\n") if options["stdin"] else getpass("Passphrase: ")
        try:
            line = passphrase.hash_of(given)
        except ValueError as error:
            raise CommandError(str(error)) from error
        if not options["stdin"] and getpass("Once more: ") != given:
            raise CommandError("The two are not the same.")
        self.stdout.write(f"DEEPFAKE_PASSPHRASE_HASH={line}")
