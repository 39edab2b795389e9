"""One video in, one analysis out: the order of work on one page."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache, partial
from pathlib import Path
from time import perf_counter
from typing import Protocol

import av
import cv2
import onnxruntime

from detection.fusion import fuse
from detection.inference import weights
from detection.modules import MODULES, ModuleContext, ModuleUnavailable, load_detector
from detection.records.schema import Analysis, ModuleOutcome, Reason
from detection.vision.observe import observe
from detection.vision.pictures import write_plain_frames, write_portraits
from detection.vision.quality import MIN_USABLE_FACES
from detection.vision.types import Observation
from detection.vision.video import VideoError, probe


class Stage(StrEnum):
    """What is being done; between DECODE and FUSE the key of each module."""

    PROBE = "probe"
    DECODE = "decode"
    FUSE = "fuse"


class Progress(Protocol):
    """Called with a stage (a Stage or a module's key), its frames done and in all. What it raises ends the analysis."""

    def __call__(self, stage: str, done: int, total: int, /) -> None: ...


@dataclass(frozen=True)
class Options:
    """`max_duration_s`: longer videos are refused, None takes any. `sha256`: the file's hash, where it is known."""

    max_duration_s: float | None = None
    sha256: str | None = None


def analyse(
    path: Path, modules: Sequence[str], run_dir: Path, progress: Progress, options: Options | None = None
) -> Analysis:
    """Analyses the video at `path` with `modules` (keys of the registry); evidence is written below `run_dir`.

    A video that gives no result comes back as an Analysis with its reason. Raises ValueError for a module that is not
    registered, OSError when evidence cannot be written, and what `progress` raises.
    """
    if unknown := set(modules) - set(MODULES):
        raise ValueError(f"No such module: {', '.join(sorted(unknown))}. There are {', '.join(MODULES)}.")
    started_s = perf_counter()
    options = options or Options()
    observation: Observation | None = None
    try:
        progress(Stage.PROBE, 0, 1)
        video = probe(path, options.max_duration_s, options.sha256)
        observation = observe(path, video, partial(progress, Stage.DECODE))
    except MemoryError:
        detail = f"{path.name} needs more memory than this process may take. Scale it down, or raise the limit."
        return _without_result(Reason.UNREADABLE, detail, modules, observation, started_s)
    except VideoError as error:
        return _without_result(error.reason, error.detail, modules, observation, started_s)
    if (fault := _fault(observation)) is not None:
        return _without_result(*fault, modules, observation, started_s)

    portraits = write_portraits(observation, run_dir)
    plain = write_plain_frames(observation, run_dir)
    outcomes, unavailable = {}, []
    for key in modules:
        try:
            outcome = _run_module(key, observation, ModuleContext(run_dir, partial(progress, key)))
            outcomes[key] = replace(outcome, evidence=plain + outcome.evidence)
        except (ModuleUnavailable, weights.WeightsError) as error:
            outcomes[key] = ModuleOutcome(key, None, "no_result", Reason.MODULE_UNAVAILABLE)
            unavailable.append(str(error))

    progress(Stage.FUSE, 0, 1)
    fused = fuse(outcomes, observation, portraits)
    return Analysis(
        verdict=fused.verdict,
        score=fused.score,
        reason=fused.reason,
        detail=" ".join(unavailable) or None,
        thresholds=fused.thresholds,
        modules=outcomes,
        people=fused.people,
        duration_s=observation.video.duration_s,
        frames_decoded=observation.frames_decoded,
        frames_analysed=observation.frames_analysed,
        seconds=perf_counter() - started_s,
        versions=versions(),
    )


def _run_module(key: str, observation: Observation, context: ModuleContext) -> ModuleOutcome:
    """Raises ModuleUnavailable, WeightsError."""
    started_s = perf_counter()
    outcome = load_detector(key).analyse(observation, context)
    return replace(outcome, seconds=perf_counter() - started_s)


def _fault(observation: Observation) -> tuple[Reason, str] | None:
    """Why the faces of a video cannot be judged, whatever the module; None when they can."""
    if not observation.people and observation.frames_analysed < MIN_USABLE_FACES:  # no face is followed in so few
        count = observation.frames_analysed
        return Reason.TOO_FEW_FRAMES, f"The video has {count} frames that can be seen; {MIN_USABLE_FACES} are needed."
    if not observation.people:
        return Reason.NO_FACE, f"No face was found in {observation.frames_analysed} frames."
    if max(sum(f.quality.usable for f in p.faces) for p in observation.people) >= MIN_USABLE_FACES:
        return None
    faces = [face for person in observation.people for face in person.faces]
    faults = Counter(reason for face in faces for reason in face.quality.reasons)
    if faults["too_small"] == len(faces):
        largest_px = max(face.quality.size_px for face in faces)
        return Reason.FACE_TOO_SMALL, f"The largest face is {largest_px:.0f} pixels high, too small to be judged."
    found = ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in faults.most_common())
    return Reason.TOO_FEW_FRAMES, f"Of {len(faces)} faces too few can be judged" + (f" ({found})." if found else ".")


def _without_result(
    reason: Reason, detail: str, modules: Sequence[str], observation: Observation | None, started_s: float
) -> Analysis:
    return Analysis(
        verdict="no_result",
        score=None,
        reason=reason,
        detail=detail,
        thresholds=None,
        modules={key: ModuleOutcome(key, None, "no_result", reason) for key in modules},
        people=(),
        duration_s=observation.video.duration_s if observation else None,
        frames_decoded=observation.frames_decoded if observation else 0,
        frames_analysed=observation.frames_analysed if observation else 0,
        seconds=perf_counter() - started_s,
        versions=versions(),
    )


@cache
def versions() -> dict[str, str]:
    """What made a result: the program, the libraries that decode and infer, and every weight file's hash."""
    project = Path(__file__).resolve().parent.parent / "pyproject.toml"
    program = tomllib.loads(project.read_text(encoding="utf-8"))["project"]["version"]
    libraries = {library.__name__: library.__version__ for library in (onnxruntime, av, cv2)}
    files = {entry.name: entry.sha256[:12] for entry in weights.manifest().values()}
    return {"program": program, **libraries, **files}
