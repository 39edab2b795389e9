"""Waiting for a state of the page: Playwright's own wait_for_function needs eval(), which the site's policy forbids."""

from __future__ import annotations

import time

from playwright.sync_api import Page


def wait_until(page: Page, expression: str, timeout_s: float = 20) -> None:
    """Until the JavaScript `expression` is true. Raises AssertionError."""
    deadline = time.monotonic() + timeout_s
    while not page.evaluate(expression):
        assert time.monotonic() < deadline, f"not within {timeout_s} s: {expression}"
        page.wait_for_timeout(50)
