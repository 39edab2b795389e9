"""Whether this site can be reached from other machines, and why it then does not start without a passphrase."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from django.conf import settings
from django.http import HttpRequest

OWN_NAMES = ("localhost", "testserver")  # the second is what Django calls itself in tests; no machine is called so
SET_BY_PROXIES = ("X-Forwarded-For", "X-Real-IP", "Forwarded")

WAY_OUT = (
    "Make a passphrase with `manage.py passphrase` and set DEEPFAKE_PASSPHRASE_HASH to what it prints, or serve on "
    "127.0.0.1 alone (and leave DEEPFAKE_HOSTS as it is)."
)


class Exposed(Exception):
    """Other machines can reach the site, and nobody has to say who he is."""


def is_protected() -> bool:
    return bool(settings.DEEPFAKE_PASSPHRASE_HASH)


def is_own_machine(host: str) -> bool:
    """Whether a name or address leads nowhere but here. `*` and `.example.org` do not."""
    bare = host.strip("[]").rstrip(".").lower()
    if bare in OWN_NAMES or bare.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(bare.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def refuse_if_exposed(addresses: Iterable[str] = ()) -> None:
    """Raises Exposed if the site listens on one of `addresses` or answers to names (DEEPFAKE_HOSTS) that lead here from
    other machines, and no passphrase is set. An empty address is all of them, a path a socket of this machine."""
    if is_protected():
        return
    foreign = [f"it listens on {address or '0.0.0.0'}" for address in addresses if not _is_local_bind(address)]
    foreign += [f"it answers to {host} (DEEPFAKE_HOSTS)" for host in settings.ALLOWED_HOSTS if not is_own_machine(host)]
    if foreign:
        raise Exposed(
            f"Other machines could use this site without saying who they are: {', '.join(foreign)}. {WAY_OUT}"
        )


def _is_local_bind(address: str) -> bool:
    return address.startswith(("/", "unix:", "fd://")) or is_own_machine(address)


def client_address(request: HttpRequest) -> str:
    """The client's address: what our own proxy says (DEEPFAKE_TLS_PROXY), else who is connected.

    Of X-Forwarded-For the last entry counts: it is our proxy's, those before are whatever the client claimed.
    """
    if settings.DEEPFAKE_TLS_PROXY and (forwarded := request.headers.get("X-Forwarded-For")):
        return forwarded.rpartition(",")[2].strip()
    return str(request.META.get("REMOTE_ADDR", ""))


def comes_from_here(request: HttpRequest) -> bool:
    """Whether the request was made on this machine, and not passed on by a proxy for another one.

    No address at all is a Unix socket, at whose other end is a proxy: that counts as coming from elsewhere.
    """
    remote = str(request.META.get("REMOTE_ADDR", ""))
    is_passed_on = any(name in request.headers for name in SET_BY_PROXIES)
    return not is_passed_on and is_own_machine(remote)
