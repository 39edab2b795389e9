"""One video of `manage.py detect`: the analysis that the worker does, in this process."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from detection.inference.weights import sha256_of
from detection.jobs.control import Interrupt, Interrupted
from detection.jobs.execution import Execution, ReportProgress, analyse_video
from detection.jobs.reporting import Reporter
from detection.records import store, uploads
from detection.records.schema import Analysis, Reason, RunState
from detection.vision.suffixes import VIDEO_SUFFIXES

logger = logging.getLogger(__name__)


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


def detect(path: Path, modules: Sequence[str], report: ReportProgress, record_in: Path | None) -> Detection:
    """Analyse one file. In the media folder `record_in` it is kept as an upload and a run, as if the site had done it.

    What is wrong with the file or goes wrong in its analysis is a Detection with a `problem`. Raises OSError when
    `record_in` cannot be written.
    """
    problem = _problem_of(path)
    if problem is not None:
        return Detection(str(path), problem=problem, reason=Reason.UNREADABLE)
    return _unrecorded(path, modules, report) if record_in is None else _recorded(path, modules, report, record_in)


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


def _unrecorded(path: Path, modules: Sequence[str], report: ReportProgress) -> Detection:
    sha256 = sha256_of(path)
    try:
        with tempfile.TemporaryDirectory(prefix="detect-") as folder:
            return Detection(str(path), sha256, analyse_video(path, sha256, modules, Path(folder), report))
    except Exception as error:
        logger.exception("The analysis of %s failed.", path)
        return _failed(path, sha256, f"The analysis failed: {error}")


def _recorded(path: Path, modules: Sequence[str], report: ReportProgress, root: Path) -> Detection:
    with path.open("rb") as file:
        upload = uploads.add_stream(root, path.name, uploads.read_chunks(file))
    record = store.create_run(root, upload, modules, state=RunState.RUNNING)
    execution, recorder = Execution(root, record.id), Reporter(root, record.id, modules)

    def report_twice(stage: str, done: int, total: int) -> None:
        recorder(stage, done, total)
        report(stage, done, total)

    with store.holding(root, record.id):
        try:
            finished = execution.analyse(record, report_twice)
            recorder.finished()
        except KeyboardInterrupt:
            execution.settle(Interrupt.CANCEL)
            raise
        except Interrupted:
            return _failed(path, upload.sha256, "The run was cancelled on the site.")
        except Exception as error:
            logger.exception("The analysis of %s failed.", path)
            return _failed(path, upload.sha256, f"The analysis failed: {error}")
    return Detection(str(path), upload.sha256, finished.analysis)


def _failed(path: Path, sha256: str | None, problem: str) -> Detection:
    """For a fault of this program, not of the video: it has no other reason to give than that no module did."""
    return Detection(str(path), sha256, problem=problem, reason=Reason.MODULE_UNAVAILABLE)
