"""The pipeline over labelled clips. What the same program and weights analysed before is not analysed again."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from detection.evaluation.folders import Clip
from detection.evaluation.recompress import Variant, write_variant
from detection.inference.weights import sha256_of
from detection.modules import MODULES
from detection.pipeline import Options, analyse, versions
from detection.records.codec import ValidationError, converter, to_json
from detection.records.files import write_atomic
from detection.records.schema import Analysis, Reason, Thresholds, Verdict
from detection.vision.video import VideoError

FUSED = "fused"  # the judge that stands for all modules together
CACHE_FORMAT = 1
ENCODING = "encode"  # the stage before an analysis of a changed clip

_ROOT = Path(__file__).resolve().parents[2]
# What analyses are made of besides the modules' own folders.
_SHARED_CODE = (
    "detection/vision",
    "detection/inference",
    "detection/records/schema.py",
    "detection/modules.py",
    "detection/judging.py",
    "detection/traces.py",
    "detection/fusion.py",
    "detection/pipeline.py",
    "relitalk",
)


@dataclass(frozen=True)
class Opinion:
    """What one judge (a module, or FUSED) says of a clip; `score` is None exactly when `reason` is given."""

    score: float | None
    verdict: Verdict
    reason: Reason | None
    thresholds: Thresholds | None


@dataclass(frozen=True)
class Outcome:
    """What an analysis gave, by judge. `seconds` it took; `detail` says in words why there is no result."""

    opinions: dict[str, Opinion]
    seconds: float
    detail: str | None


@dataclass(frozen=True)
class Row:
    """One clip and what came of it. `is_cached`: it had been analysed before."""

    clip: Clip
    sha256: str
    outcome: Outcome
    is_cached: bool


@dataclass(frozen=True)
class Step:
    """Where a run is: at clip `number` of `clips`, in a stage of its analysis with `done` of `total` frames."""

    clip: Clip
    number: int
    clips: int
    stage: str
    done: int
    total: int


Progress = Callable[[Step], None]


def judges_of(modules: Sequence[str]) -> tuple[str, ...]:
    """Who gives an opinion when `modules` are run."""
    ordered = tuple(key for key in MODULES if key in modules)
    return (*ordered, FUSED) if len(ordered) > 1 else ordered


def run(
    clips: Sequence[Clip],
    modules: Sequence[str],
    progress: Progress,
    *,
    cache_dir: Path | None = None,
    variant: Variant | None = None,
    options: Options | None = None,
) -> Iterator[Row]:
    """Analyses the clips (changed by `variant`, if given) one by one and yields a row for each.

    With `cache_dir` every outcome is kept there as soon as it is known, so a run that was broken off goes on where it
    stopped. `options.sha256` is not used. Raises ValueError for an unknown module, OSError when the cache cannot be
    written or a clip cannot be read, and what `progress` raises.
    """
    ordered = tuple(key for key in MODULES if key in modules)
    if unknown := set(modules) - set(MODULES):
        raise ValueError(f"No such module: {', '.join(sorted(unknown))}. There are {', '.join(MODULES)}.")
    memory = _Cache(cache_dir, ordered, variant) if cache_dir is not None else None
    for number, clip in enumerate(clips, 1):
        sha256 = sha256_of(clip.path)
        known = memory.get(sha256) if memory else None
        if known is not None:
            yield Row(clip, sha256, known, is_cached=True)
            continue

        def report(stage: str, done: int, total: int, clip: Clip = clip, number: int = number) -> None:
            progress(Step(clip, number, len(clips), stage, done, total))

        outcome = _outcome(clip.path, ordered, report, variant, replace(options or Options(), sha256=sha256))
        if memory:
            memory.put(sha256, outcome)
        yield Row(clip, sha256, outcome, is_cached=False)


def _outcome(
    path: Path,
    modules: Sequence[str],
    report: Callable[[str, int, int], None],
    variant: Variant | None,
    options: Options,
) -> Outcome:
    with tempfile.TemporaryDirectory(prefix="evaluate-") as name:
        folder = Path(name)
        if variant is not None:
            report(ENCODING, 0, 1)
            changed = folder / f"{path.stem}.mp4"
            try:
                write_variant(path, variant, changed)
            except VideoError as error:
                opinion = Opinion(None, "no_result", error.reason, None)
                return Outcome(dict.fromkeys(judges_of(modules), opinion), 0.0, error.detail)
            path, options = changed, replace(options, sha256=None)
        evidence = folder / "run"
        evidence.mkdir()
        return _summary(analyse(path, modules, evidence, report, options))


def _summary(analysis: Analysis) -> Outcome:
    opinions = {
        key: Opinion(outcome.score, outcome.verdict, outcome.reason, outcome.thresholds)
        for key, outcome in analysis.modules.items()
    }
    if len(opinions) > 1:
        opinions[FUSED] = Opinion(analysis.score, analysis.verdict, analysis.reason, analysis.thresholds)
    return Outcome(opinions, analysis.seconds, analysis.detail)


class _Cache:
    """One small file per clip, variant and set of modules; it counts as long as program and weights stay the same."""

    def __init__(self, folder: Path, modules: Sequence[str], variant: Variant | None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._what = f"{variant.name if variant else 'original'}-{'+'.join(modules)}"
        self._made_by = _made_by(tuple(modules), variant)

    def get(self, sha256: str) -> Outcome | None:
        try:
            kept = json.loads(self._path(sha256).read_bytes())
            return converter.structure(kept["outcome"], Outcome) if kept["made_by"] == self._made_by else None
        except (OSError, ValueError, KeyError, TypeError, ValidationError):
            return None  # nothing kept, or nothing of use

    def put(self, sha256: str, outcome: Outcome) -> None:
        kept = {"made_by": self._made_by, "outcome": converter.unstructure(outcome)}
        write_atomic(self._path(sha256), to_json(kept), durable=False)

    def _path(self, sha256: str) -> Path:
        return self._folder / f"{sha256}-{self._what}.json"


@cache
def _made_by(modules: tuple[str, ...], variant: Variant | None) -> str:
    """A hash of what an outcome depends on besides the clip: weights, libraries, code, the variant's settings."""
    detectors = [MODULES[key].detector or "" for key in modules]
    digest = hashlib.sha256(json.dumps([CACHE_FORMAT, versions(), detectors, repr(variant)], sort_keys=True).encode())
    for source in _sources(detectors, variant):
        digest.update(source.read_bytes())
    return digest.hexdigest()


def _sources(detectors: Sequence[str], variant: Variant | None) -> Iterator[Path]:
    places = [*_SHARED_CODE, *("/".join(detector.split(".")[:-2]) for detector in detectors if detector)]
    if variant is not None:
        places.append("detection/evaluation/recompress.py")
    for path in (_ROOT / place for place in places):
        yield from [path] if path.is_file() else sorted(path.rglob("*.py"))
