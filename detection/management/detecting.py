"""One video of `manage.py detect`: the analysis that the worker does, in a child of this process."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from detection.inference.weights import sha256_of
from detection.jobs.control import Interrupt
from detection.jobs.execution import Execution, ReportProgress
from detection.management.isolation import Analyst, AnalystDied, Answer, Request
from detection.records import store, uploads
from detection.records.schema import Analysis, Reason, RunState
from detection.vision.suffixes import VIDEO_SUFFIXES

READING = ("", "probe", "decode")  # the stages of an analysis before the modules


@dataclass(frozen=True)
class Detection:
    """What came out of one video: an analysis, or the `problem` and its `reason` that there is none."""

    video: str
    sha256: str | None = None
    analysis: Analysis | None = None
    problem: str | None = None
    reason: Reason | None = None

    @property
    def has_score(self) -> bool:
        return self.analysis is not None and self.analysis.score is not None

    @property
    def explanation(self) -> str | None:
        """In a sentence, why there is no score."""
        return self.analysis.detail if self.analysis else self.problem


def videos_in(names: Sequence[str]) -> list[Path]:
    """The named files, a folder standing for the videos in it and below (for itself if there are none)."""
    found: list[Path] = []
    for path in map(Path, names):
        inside = sorted(p for p in path.rglob("*") if p.suffix.lower() in VIDEO_SUFFIXES and p.is_file())
        found += inside or [path]
    return found


def detect(
    path: Path, modules: Sequence[str], report: ReportProgress, record_in: Path | None, analyst: Analyst
) -> Detection:
    """Analyse one file. In the media folder `record_in` it is kept as an upload and a run, as if the site had done it.

    What is wrong with the file or goes wrong in its analysis is a Detection with a `problem`. Raises OSError when
    `record_in` cannot be written.
    """
    problem = _problem_of(path)
    if problem is not None:
        return Detection(str(path), problem=problem, reason=Reason.UNREADABLE)
    if record_in is None:
        return _unrecorded(path, modules, report, analyst)
    return _recorded(path, modules, report, analyst, record_in)


def _problem_of(path: Path) -> str | None:
    if path.is_dir():
        return f"The folder {path} holds no video."
    if not path.exists():
        return f"There is no file {path}."
    if not path.is_file():
        return f"{path} is no ordinary file."
    try:
        path.open("rb").close()
    except OSError as error:
        return f"{path} cannot be read: {error.strerror}."
    return None


def _unrecorded(path: Path, modules: Sequence[str], report: ReportProgress, analyst: Analyst) -> Detection:
    sha256 = sha256_of(path)
    with tempfile.TemporaryDirectory(prefix="detect-", ignore_cleanup_errors=True) as folder:
        try:
            answer = analyst.analyse(Request(path, sha256, tuple(modules), Path(folder)), report)
        except AnalystDied as death:
            return _dead(path, sha256, death)
    return _told(path, sha256, answer)


def _recorded(path: Path, modules: Sequence[str], report: ReportProgress, analyst: Analyst, root: Path) -> Detection:
    with path.open("rb") as file:
        upload = uploads.add_stream(root, path.name, uploads.read_chunks(file))
    record = store.create_run(root, upload, modules, state=RunState.RUNNING)
    try:
        request = Request(root / upload.path, upload.sha256, tuple(modules), root, record.id)
        return _told(path, upload.sha256, analyst.analyse(request, report))
    except KeyboardInterrupt:
        analyst.end()
        Execution(root, record.id).settle(Interrupt.CANCEL)
        raise
    except AnalystDied as death:
        detection = _dead(path, upload.sha256, death)
        store.finish_run(root, record.id, RunState.FAILED, error=detection.problem)
        return detection


def _told(path: Path, sha256: str, answer: Answer) -> Detection:
    """A fault of this program, not of the video, has no other reason to give than that no module did."""
    reason = Reason.MODULE_UNAVAILABLE if answer.problem else None
    return Detection(str(path), sha256, answer.analysis, answer.problem, reason)


def _dead(path: Path, sha256: str, death: AnalystDied) -> Detection:
    """What ends the process while it is being read is the file; later it is a module."""
    if death.stage in READING:
        problem = f"{path.name} cannot be read: {death}. Export it again, for instance as MP4."
        return Detection(str(path), sha256, problem=problem, reason=Reason.UNREADABLE)
    problem = f"The analysis failed in {death.stage}: {death}."
    return Detection(str(path), sha256, problem=problem, reason=Reason.MODULE_UNAVAILABLE)
