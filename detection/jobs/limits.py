"""What a process that analyses strangers' files may take of this machine, as the settings say."""

from __future__ import annotations

from django.conf import settings

from detection.jobs.control import Interrupt
from detection.vision.confinement import confine_memory


def excess(why: Interrupt) -> str | None:
    """What was taken too much of, as the end of a sentence; None for an interruption that is no limit's."""
    if why is Interrupt.TIMEOUT:
        return f"longer than {settings.DEEPFAKE_RUN_TIMEOUT_S} s (DEEPFAKE_RUN_TIMEOUT_S)"
    if why is Interrupt.MEMORY:
        return f"more than {settings.DEEPFAKE_MAX_MEMORY_MB} MB of memory (DEEPFAKE_MAX_MEMORY_MB)"
    return None


def confine() -> None:
    """Hold this process, from now on, to DEEPFAKE_MAX_MEMORY_MB. Where networks run on CUDA only the watchdog does."""
    from detection.inference import session

    if not session.uses_cuda(settings.DEEPFAKE_DEVICE):
        confine_memory(settings.DEEPFAKE_MAX_MEMORY_MB)
