"""The contract between the pipeline and the detection modules, and the registry of modules.

A fourth module is one folder with a `Detector` in it and one line in `MODULES`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Protocol

from detection.records.schema import ModuleOutcome
from detection.vision.types import Observation


class ModuleUnavailable(Exception):
    """The module is registered but cannot give a result here; the message says why."""


@dataclass(frozen=True)
class ModuleContext:
    """What a detector gets besides the observation.

    `run_dir` is the run's folder: evidence is written below it and named relative to it. `progress(done, total)` is
    called with frames; it raises to cancel, so a detector must not swallow its exceptions.
    """

    run_dir: Path
    progress: Callable[[int, int], None]


class Detector(Protocol):
    """Looks at one video's people and says how probable a forgery is."""

    def analyse(self, observation: Observation, context: ModuleContext) -> ModuleOutcome: ...


@dataclass(frozen=True)
class ModuleSpec:
    """One registered module. `detector`: dotted path of a class whose constructor takes nothing; imported when used."""

    key: str
    name: str
    detector: str


MODULES: dict[str, ModuleSpec] = {
    spec.key: spec
    for spec in (
        ModuleSpec("space", "Space", "detection.space.detector.SpaceDetector"),
        ModuleSpec("feature", "Feature", "detection.feature.detector.FeatureDetector"),
        ModuleSpec("blend", "Blend", "detection.blend.detector.BlendDetector"),
    )
}

_loaded: dict[str, Detector] = {}


def load_detector(key: str) -> Detector:
    """The detector of module `key`, one per process.

    Raises KeyError for a module that is not registered.
    """
    if key not in _loaded:
        module, _, name = MODULES[key].detector.rpartition(".")
        _loaded[key] = getattr(import_module(module), name)()
    return _loaded[key]
