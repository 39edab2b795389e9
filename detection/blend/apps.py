"""The Blend module as a Django app."""

from __future__ import annotations

from django.apps import AppConfig


class BlendConfig(AppConfig):
    name = "detection.blend"
    label = "blend"
