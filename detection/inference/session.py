"""One door over ONNX Runtime: a network is opened once, verified, on the best device, and run in batches."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from detection.inference.weights import verified_path

Array = NDArray[Any]
Device = Literal["auto", "cpu", "cuda"]

# Samples in one pass. On a CPU more are no faster (measured: 12 ms a face in passes of 2 to 16) and each takes memory,
# of Space's network 17 MB.
BATCH, CUDA_BATCH = 4, 32
MAX_THREADS = 8  # unless more are asked for: small networks grow slower with more

_ERRORS_ONLY = 3


class DeviceMissing(Exception):
    """CUDA was asked for and this ONNX Runtime cannot use it."""


@dataclass
class _Settings:
    device: Device = "auto"
    threads: int = 0


_settings = _Settings()


def configure(*, device: Device = "auto", threads: int = 0) -> None:
    """Says where the networks opened from now on run. `threads` 0 means one per core, MAX_THREADS at most.

    Networks that `load` keeps are opened anew. Raises DeviceMissing when `device` is "cuda" and there is none.
    """
    _providers(device)
    if (device, threads) != (_settings.device, _settings.threads):
        _settings.device, _settings.threads = device, threads
        load.cache_clear()


@cache
def load(name: str, threads: int | None = None) -> Session:
    """The network `name` of the manifest, opened once per process. Raises WeightsMissing, WeightsCorrupt.

    `threads`: where another number than the configured one is better. Small networks that run beside other work want 1:
    to share out a pass of a few milliseconds, and wait for all shares, costs more than it gains.
    """
    return Session(verified_path(name), threads=threads)


class Session:
    """The network in the ONNX file `path`, for which the caller vouches: `load` opens those of the manifest."""

    def __init__(self, path: Path, *, threads: int | None = None) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = (_settings.threads if threads is None else threads) or min(
            core_count(), MAX_THREADS
        )
        options.inter_op_num_threads = 1
        options.log_severity_level = _ERRORS_ONLY
        # Threads that spin between two calls would take the cores from the decoder, which runs at the same time.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(str(path), options, providers=_providers(_settings.device))
        self.inputs: tuple[str, ...] = tuple(i.name for i in self._session.get_inputs())
        self.outputs: tuple[str, ...] = tuple(o.name for o in self._session.get_outputs())

    @property
    def device(self) -> str:
        return "cuda" if self._session.get_providers()[0] == "CUDAExecutionProvider" else "cpu"

    @property
    def batch(self) -> int:
        """How many samples one pass had better have."""
        return CUDA_BATCH if self.device == "cuda" else BATCH

    def run(self, *batch: Array) -> tuple[Array, ...]:
        """One pass. `batch` holds one array per input, the first axis counting the samples; so do the outputs."""
        feed = {name: np.ascontiguousarray(a) for name, a in zip(self.inputs, batch, strict=True)}
        return tuple(self._session.run(None, feed))

    def run_batched(self, batch: Array) -> tuple[Array, ...]:
        """As `run` for a single-input network, `self.batch` samples at a time: memory stays bounded."""
        if len(batch) <= self.batch:
            return self.run(batch)
        parts = [self.run(batch[start : start + self.batch]) for start in range(0, len(batch), self.batch)]
        return tuple(np.concatenate(output) for output in zip(*parts, strict=True))


def uses_cuda(device: str) -> bool:
    """Whether networks run on CUDA when `device` is asked for."""
    return device != "cpu" and "CUDAExecutionProvider" in onnxruntime.get_available_providers()


def core_count() -> int:
    """The cores that this process may use, which in a container are fewer than the machine's."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _providers(device: Device) -> list[str]:
    cuda = "CUDAExecutionProvider" in onnxruntime.get_available_providers()
    if device == "cuda" and not cuda:
        raise DeviceMissing(
            "DEEPFAKE_DEVICE is cuda, but this ONNX Runtime has no CUDA: install onnxruntime-gpu in place of "
            "onnxruntime, or set DEEPFAKE_DEVICE to auto."
        )
    return ["CUDAExecutionProvider", "CPUExecutionProvider"] if cuda and device != "cpu" else ["CPUExecutionProvider"]
