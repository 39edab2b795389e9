"""`manage.py api_token`: tokens by which programs use a site that has a passphrase."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from detection.web.access import tokens


class Command(BaseCommand):
    help = "Make, list or revoke API tokens. Scopes: " + "; ".join(
        f"{key}: {does}" for key, does in tokens.SCOPES.items()
    )
    requires_system_checks: list[str] = []  # noqa: RUF012 it changes one file

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        create = actions.add_parser("create", help="print a new token, which is shown this once")
        create.add_argument("name", help="whose it is; the audit log names it")
        create.add_argument("--scope", action="append", choices=list(tokens.SCOPES), help="may be given several times")
        actions.add_parser("list", help="names, scopes and dates")
        actions.add_parser("revoke", help="make it invalid at once").add_argument("name")

    def handle(self, *args: Any, **options: Any) -> None:
        root = Path(settings.MEDIA_ROOT)
        try:
            if options["action"] == "create":
                self.stdout.write(tokens.create(root, options["name"], options["scope"] or ["read"]))
            elif options["action"] == "revoke":
                tokens.revoke(root, options["name"])
            else:
                for token in tokens.load(root):
                    self.stdout.write(f"{token.name}\t{','.join(token.scopes)}\t{token.created_at}")
        except (ValueError, LookupError) as error:
            raise CommandError(str(error)) from error
