"""The Feature module as a Django app."""

from __future__ import annotations

from django.apps import AppConfig


class FeatureConfig(AppConfig):
    name = "detection.feature"
    label = "feature"
