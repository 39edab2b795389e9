"""The Noise example as a Django app."""

from __future__ import annotations

from django.apps import AppConfig


class NoiseConfig(AppConfig):
    name = "detection.noise"
    label = "noise"
