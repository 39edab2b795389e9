"""Which tests run: those that take long or drive a browser only when they are asked for."""

from __future__ import annotations

import os
import signal

import pytest

ASKED_FOR_BY = {"e2e": "DEEPFAKE_E2E", "slow": "DEEPFAKE_SLOW"}


def pytest_configure() -> None:
    """What runs the tests may ignore Ctrl+C, as a shell does in the background; what they start would do so, too."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for marker, variable in ASKED_FOR_BY.items():
        if os.environ.get(variable) == "1":
            continue
        for item in items:
            if item.get_closest_marker(marker):
                item.add_marker(pytest.mark.skip(reason=f"{marker}: runs with {variable}=1"))
