"""What a process that analyses strangers' files may take of this machine, as the settings say."""

from __future__ import annotations

from django.conf import settings

from detection.vision.confinement import confine_memory


def confine() -> None:
    """Hold this process, from now on, to DEEPFAKE_MAX_MEMORY_MB. Where networks run on CUDA only the watchdog does."""
    from detection.inference import session

    if not session.uses_cuda(settings.DEEPFAKE_DEVICE):
        confine_memory(settings.DEEPFAKE_MAX_MEMORY_MB)
