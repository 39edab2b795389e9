"""What is told when media/ cannot take more: one place for the pages, the JSON interface and resumable uploads."""

from __future__ import annotations

import errno

from django.utils.translation import gettext as _

NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
NOT_WRITABLE = (errno.EROFS, errno.EACCES, errno.EPERM)


def full() -> str:
    return _("The disk is full. Delete videos or runs that are no longer needed, and empty the trash.")


def fault_of(error: OSError) -> tuple[str, int] | None:
    """What to tell, and the HTTP status; None for an error that is not the disk's being full or closed to writing."""
    if error.errno in NO_ROOM:
        return full(), 507
    if error.errno in NOT_WRITABLE:
        return _("Nothing can be written to the media folder now. What was uploaded and found out before is safe."), 503
    return None
