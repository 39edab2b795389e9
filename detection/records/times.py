"""Times as records have them: ISO 8601 in UTC, of fixed width, so that text order is time order."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

_TICK, _JUST_NOW = timedelta(milliseconds=1), timedelta(seconds=10)


def stamp(time: datetime) -> str:
    """An aware time."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds")


def stamp_of_s(seconds: float) -> str:
    """A time as file systems have it: in seconds since 1970."""
    return stamp(datetime.fromtimestamp(seconds, UTC))


def now() -> str:
    return stamp(datetime.now(UTC))


class _Turns:
    def __init__(self) -> None:
        self._lock, self._last = threading.Lock(), datetime.min.replace(tzinfo=UTC)

    def next(self) -> str:
        """As `now`, but a millisecond after the turn before where that is just now: what is queued in one go keeps its
        order. A clock that was put back is believed.
        """
        with self._lock:
            time = datetime.now(UTC)
            if timedelta(0) <= self._last - time + _TICK < _JUST_NOW:
                time = self._last + _TICK
            self._last = time
            return stamp(time)


next_turn = _Turns().next
