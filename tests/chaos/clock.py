"""A clock that can be set: a file `clock` beside media/ holds by how many seconds it is wrong.

What is shifted is what Python reads. The kernel gives files their true times, so that they look as old or as young as
files do that were written before a jump. Time that is measured (`time.monotonic`) goes on as it does in reality.
"""

from __future__ import annotations

import datetime
import time
from pathlib import Path


def setting(media: Path) -> Path:
    return media.parent / "clock"


def install(media: Path) -> None:
    """To be called before anything imports `datetime.datetime` by name."""
    place, true_time_s, true_time_ns = setting(media), time.time, time.time_ns

    def wrong_by_s() -> float:
        try:
            return float(place.read_text() or 0)
        except (OSError, ValueError):
            return 0.0

    class Wrong(datetime.datetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> datetime.datetime:
            return super().now(tz) + datetime.timedelta(seconds=wrong_by_s())

    time.time = lambda: true_time_s() + wrong_by_s()
    time.time_ns = lambda: true_time_ns() + int(wrong_by_s() * 1e9)
    datetime.datetime = Wrong  # type: ignore[misc]
