"""The application that holds the management commands and the system checks."""

from __future__ import annotations

from django.apps import AppConfig


class DetectionConfig(AppConfig):
    name = "detection"

    def ready(self) -> None:
        from detection import checks  # noqa: F401 importing it registers them
