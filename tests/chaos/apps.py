from __future__ import annotations

from django.apps import AppConfig


class ChaosConfig(AppConfig):
    """Cuts the patience of whoever puts things in order down to a test's."""

    name = "tests.chaos"

    def ready(self) -> None:
        from detection.jobs import recovery, worker

        recovery.GRACE_S = 2.0
        worker.TIDY_EVERY_S = 2.0
        worker.AFTER_DISK_ERROR_S = 1.0
