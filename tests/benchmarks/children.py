"""What `bench_detect` measures in processes of their own: `python -m tests.benchmarks.children JOB …` prints JSON.

A fresh process for each makes peak memory and start-up true, and keeps the one that measures small.
"""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from time import perf_counter
from typing import Any

import av
import numpy as np
import onnxruntime

from detection.inference import weights
from detection.inference.session import Device, DeviceMissing, configure, load
from detection.modules import ModuleContext, ModuleUnavailable, load_detector
from detection.space.detector import NETWORK
from detection.traces import choose_faces
from detection.vision.observe import observe
from detection.vision.types import Observation
from detection.vision.video import probe
from tests.benchmarks import clips

LENGTHS_S = (10, 30, 600)


def write_clips(folder: str) -> dict[str, Any]:
    """The shortest clip, and longer ones that repeat it."""
    shortest, *longer = LENGTHS_S
    short = clips.write_talk(Path(folder) / f"talk-{shortest}s.mp4", shortest)
    repeated = [clips.repeat(short, Path(folder) / f"talk-{each}s.mp4", each // shortest) for each in longer]
    return {
        "clips": [str(clip) for clip in (short, *repeated)],
        "video": asdict(probe(short)),
        "libraries": _libraries(),
    }


def decode(clip: str) -> dict[str, Any]:
    """Every frame decoded by all cores and none converted: the least that reading a video takes."""
    began = perf_counter()
    with av.open(clip) as container:
        container.streams.video[0].thread_type = "AUTO"
        frames = sum(1 for _ in container.decode(video=0))
    return {"seconds": perf_counter() - began, "frames": frames}


def passes(clip: str, device: Device) -> dict[str, Any]:
    """One pass of Space's network over the faces that it may judge; `sampled` counts all. Blend's is as large."""
    configure(device=device)
    people = _observed(clip).people
    chosen = [person.faces[index].crop for person in people for index in choose_faces(person)]
    session = load(NETWORK)
    session.run_batched(np.array(chosen[:1]))
    began = perf_counter()
    session.run_batched(np.array(chosen))
    sampled = sum(len(person.faces) for person in people)
    return {"faces": len(chosen), "sampled": sampled, "seconds": perf_counter() - began}


def module(key: str, device: Device, clip: str) -> dict[str, Any]:
    """A module's whole work on faces that are found already: networks, evidence, score."""
    observation = _observed(clip)
    try:
        configure(device=device)
        detector = load_detector(key)
    except (ModuleUnavailable, DeviceMissing, weights.WeightsError) as error:
        return {"unavailable": str(error)}
    with tempfile.TemporaryDirectory() as folder:
        context = ModuleContext(Path(folder), lambda _done, _total: None)
        detector.analyse(observation, context)  # the first time is for opening files and compiling
        began = perf_counter()
        outcome = detector.analyse(observation, context)
        return {"faces": sum(person.frames for person in outcome.people), "seconds": perf_counter() - began}


def _observed(clip: str) -> Observation:
    path = Path(clip)
    return observe(path, probe(path), lambda _done, _total: None)


def _libraries() -> dict[str, str]:
    return {library.__name__: library.__version__ for library in (onnxruntime, av, np)}


if __name__ == "__main__":
    job = {"clips": write_clips, "decode": decode, "passes": passes, "module": module}[sys.argv[1]]
    print(json.dumps(job(*sys.argv[2:])))
