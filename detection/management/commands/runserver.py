"""`manage.py runserver`, as Django has it, but not open to other machines by accident."""

from __future__ import annotations

from typing import Any

from django.contrib.staticfiles.management.commands import runserver
from django.core.management.base import CommandError

from detection.web.access.exposure import Exposed, refuse_if_exposed


class Command(runserver.Command):
    def run(self, **options: Any) -> None:
        try:
            refuse_if_exposed([self.addr])  # type: ignore[attr-defined]  # set by Django's handle()
        except Exposed as reason:
            raise CommandError(str(reason)) from reason
        super().run(**options)
