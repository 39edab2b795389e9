"""Times as records have them: ISO 8601 in UTC, of fixed width, so that text order is time order."""

from __future__ import annotations

from datetime import UTC, datetime


def stamp(time: datetime) -> str:
    """An aware time."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds")


def stamp_of_s(seconds: float) -> str:
    """A time as file systems have it: in seconds since 1970."""
    return stamp(datetime.fromtimestamp(seconds, UTC))


def now() -> str:
    return stamp(datetime.now(UTC))
