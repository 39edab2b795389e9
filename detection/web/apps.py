"""The site's pages."""

from __future__ import annotations

from django.apps import AppConfig
from django.core import checks


class WebConfig(AppConfig):
    name = "detection.web"
    label = "web"

    def ready(self) -> None:
        from detection.web.checks import others_need_a_passphrase, vendor_files_are_there

        checks.register(vendor_files_are_there)
        checks.register(others_need_a_passphrase)
