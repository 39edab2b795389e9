"""The Space module as a Django app."""

from __future__ import annotations

from django.apps import AppConfig


class SpaceConfig(AppConfig):
    name = "detection.space"
    label = "space"
