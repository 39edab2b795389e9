from __future__ import annotations

import os

import pytest

SWITCHES = {"slow": "DEEPFAKE_SLOW", "e2e": "DEEPFAKE_E2E"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out what pyproject.toml says is left out unless it is asked for."""
    for mark, variable in SWITCHES.items():
        if os.environ.get(variable) != "1":
            for item in items:
                if item.get_closest_marker(mark):
                    item.add_marker(pytest.mark.skip(reason=f"{mark}: set {variable}=1 to run it"))
