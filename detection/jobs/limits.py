"""What a process that analyses strangers' files may take of this machine, as the settings say."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from detection.jobs.control import Interrupt, Interrupted
from detection.vision.confinement import confine_memory

OPENCV_NO_MEMORY = -4  # cv::Error::StsNoMem
ONNX_NO_MEMORY = ("bad_alloc", "Failed to allocate memory")


def excess(why: Interrupt) -> str | None:
    """What was taken too much of, as the end of a sentence; None for an interruption that is no limit's."""
    if why is Interrupt.TIMEOUT:
        return f"longer than {settings.DEEPFAKE_RUN_TIMEOUT_S} s (DEEPFAKE_RUN_TIMEOUT_S)"
    if why is Interrupt.MEMORY:
        return f"more than {settings.DEEPFAKE_MAX_MEMORY_MB} MB of memory (DEEPFAKE_MAX_MEMORY_MB)"
    return None


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the kernel refused memory (`confine`), whichever library had asked for it."""
    return (
        isinstance(error, MemoryError)
        or (isinstance(error, OSError) and error.errno == errno.ENOMEM)
        or getattr(error, "code", None) == OPENCV_NO_MEMORY
        or any(sign in str(error) for sign in ONNX_NO_MEMORY)
    )


@contextmanager
def refusal_of_memory() -> Iterator[None]:
    """Raises Interrupted where what is done within is refused memory, as the watchdog does where it sees the excess."""
    try:
        yield
    except Exception as error:
        if is_out_of_memory(error):
            raise Interrupted(Interrupt.MEMORY) from error
        raise


def device() -> str:
    """Where this process' networks run: "cuda" or "cpu"."""
    from detection.inference import session

    return "cuda" if session.uses_cuda(settings.DEEPFAKE_DEVICE) else "cpu"


def confine() -> None:
    """Hold this process, from now on, to DEEPFAKE_MAX_MEMORY_MB. Where networks run on CUDA only the watchdog does."""
    if device() == "cpu":
        confine_memory(settings.DEEPFAKE_MAX_MEMORY_MB)
