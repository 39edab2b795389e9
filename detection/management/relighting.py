"""What the relighting commands share: the engines that the settings name."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from relitalk.backends import Settings


def engine_settings() -> Settings:
    """Where relighting runs, from the environment (README, "Configuration")."""
    return Settings(
        device=settings.DEEPFAKE_DEVICE,
        relitalk_root=Path(settings.RELITALK_ROOT) if settings.RELITALK_ROOT else None,
        relitalk_python=Path(settings.RELITALK_PYTHON) if settings.RELITALK_PYTHON else None,
        remote_url=settings.RELITALK_URL,
        remote_token=settings.RELITALK_TOKEN,
    )
