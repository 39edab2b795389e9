"""What can go wrong with a video that is to be relit. Every message names the file, the fault and the way out."""

from __future__ import annotations

from detection.records.schema import Reason


class RelightError(Exception):
    """The video cannot be relit. `reason` is one of `Reason` where the file is at fault, else None."""

    def __init__(self, message: str, reason: Reason | None = None) -> None:
        super().__init__(message)
        self.reason = reason


class Cancelled(Exception):
    """The caller asked to stop; nothing was left behind."""
