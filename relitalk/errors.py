"""What can go wrong with a video that is to be relit. Every message names the file, the fault and the way out."""

from __future__ import annotations

from enum import StrEnum

from detection.records.schema import Reason


class Fault(StrEnum):
    """Why a clip cannot be relit although nothing is wrong with its file."""

    NO_SERVER = "no_server"  # none is set
    SERVER_UNREACHABLE = "server_unreachable"
    SERVER_REFUSED = "server_refused"
    NO_CHECKOUT = "no_checkout"  # none is set, or what is set is not whole
    CHECKOUT_FAILED = "checkout_failed"
    NO_SUCH_PERSON = "no_such_person"


class RelightError(Exception):
    """The video cannot be relit. `reason` says why in one word, where there is one for it."""

    def __init__(self, message: str, reason: Reason | Fault | None = None) -> None:
        super().__init__(message)
        self.reason = reason


class Cancelled(Exception):
    """The caller asked to stop; nothing was left behind."""
