"""How often a client may try the passphrase: counted in a file, so that all server processes count together."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import time
from collections.abc import Callable
from pathlib import Path

from detection.records.files import locked, write_atomic

LIMIT = 5
WITHIN_S = 15 * 60.0


class TooMany(Exception):
    """This client has to wait `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"another try in {seconds:.0f} s")
        self.seconds = seconds


def attempt(root: Path, client: str, is_right: Callable[[], bool]) -> bool:
    """Whether the try was right; a wrong one counts against `client`. Raises TooMany, and then nothing was tried.

    One try at a time in the whole site: trying many at once gains nothing, and hashing cannot use up the machine.
    """
    path = root / "access" / "attempts.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    with locked(path.with_suffix(".lock")):
        now_s = time.time()
        failures = _load(path, now_s)
        key = _network(client)
        mine = failures.get(key, [])
        if len(mine) >= LIMIT:
            raise TooMany(mine[-LIMIT] + WITHIN_S - now_s)
        failures[key] = [*mine, now_s]
        write_atomic(path, json.dumps(failures).encode(), durable=False)  # counted before it is looked at
        if not is_right():
            return False
        del failures[key]
        write_atomic(path, json.dumps(failures).encode(), durable=False)
        return True


def _load(path: Path, now_s: float) -> dict[str, list[float]]:
    """The failures that still count, by client. A time in the future (a clock was set back) does not."""
    with contextlib.suppress(OSError, ValueError, AttributeError, TypeError):
        kept = {
            client: [time_s for time_s in times if now_s - WITHIN_S < time_s <= now_s]
            for client, times in json.loads(path.read_bytes()).items()
        }
        return {client: times for client, times in kept.items() if times}
    return {}


def _network(client: str) -> str:
    """Who owns one IPv6 address owns its /64."""
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return client
    return str(ipaddress.ip_network((address, 64), strict=False)) if address.version == 6 else client
