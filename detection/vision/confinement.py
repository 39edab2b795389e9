"""What a process that reads strangers' files may take of the machine. The kernel holds it to that, native code too.

The limits are meant for files that are made to exhaust a machine: a few kilobytes that unpack to gigabytes, or that
hold a decoder for ever. A process within them either gets an error where it asks for more, or is ended by a signal.
"""

from __future__ import annotations

import resource
import signal
import sys
from pathlib import Path

MB = 1024 * 1024

# Of what may be resident, as much may be asked for: libraries ask for more than they use (stacks, arenas of malloc).
ASKED_PER_RESIDENT = 1.5


def confine_memory(memory_mb: int) -> None:
    """Have requests for memory fail, from now on and in every child, once `memory_mb` could no longer be kept.

    Counts what the process alone can write (RLIMIT_DATA). Not for a process that uses CUDA, whose driver reserves a
    multiple of what it needs. No core file is written either: it would be as large as what ended the process.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":  # elsewhere the limit does not count mapped memory, which is most of it
        asked = int(memory_mb * ASKED_PER_RESIDENT) * MB
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (asked if hard == resource.RLIM_INFINITY else min(asked, hard), hard))


def end_after(seconds: float) -> None:
    """Let the kernel end this process by SIGALRM in `seconds`, even where Python cannot run; 0 takes it back."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds)


def resident_mb(process: int | str = "self") -> float:
    """What a process holds in memory; 0 where that cannot be found out."""
    try:
        pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return 0.0
    return pages * resource.getpagesize() / MB
