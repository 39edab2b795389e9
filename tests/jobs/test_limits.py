"""A file that needs more memory than there may be fails with that reason, whichever library was refused it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from detection import jobs, pipeline
from detection.jobs import execution, limits
from detection.jobs.control import Interrupt, Interrupted
from detection.jobs.execution import Execution
from detection.jobs.tasks import analyse_run
from detection.records import store, uploads
from detection.records.schema import Reason, RunState
from detection.vision import video
from tests.clips import write_noise
from tests.jobs.server import ROOT
from tests.records import make

ASKS = {
    "python": "bytearray(4 * 1024**3)",
    "numpy": "numpy.ones((4 * 1024, 1024, 1024), numpy.uint8)",
    "opencv": "cv2.resize(numpy.zeros((8, 8, 3), numpy.uint8), (60_000, 60_000))",
}


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's limit is Linux'")
@pytest.mark.parametrize("library", ASKS)
def test_a_refusal_of_memory_is_recognised(library: str) -> None:
    code = (
        "import cv2, numpy\nfrom detection.jobs import limits\n"
        "from detection.vision.confinement import confine_memory\n"
        f"confine_memory(1024)\ntry:\n    {ASKS[library]}\nexcept Exception as error:\n"
        "    print(limits.is_out_of_memory(error), type(error).__name__)"
    )
    child = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert child.stdout.startswith("True"), child.stdout


def test_other_errors_are_not_taken_for_it() -> None:
    assert not limits.is_out_of_memory(RuntimeError("the network broke"))
    assert not limits.is_out_of_memory(OSError(28, "No space left on device"))


def test_a_run_that_is_refused_memory_says_what_the_watchdogs_does(
    media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(execution, "analyse_video", refused)
    (run_id,) = jobs.start([make.upload(media).sha256], ["space"])
    with pytest.raises(Interrupted) as interruption:  # whereupon the worker begins anew
        analyse_run.call(run_id)
    assert interruption.value.why is Interrupt.MEMORY
    record = store.load_run(media, run_id)
    assert record.state is RunState.FAILED
    assert record.error == "The analysis took more than 4096 MB of memory (DEEPFAKE_MAX_MEMORY_MB)."


def test_a_file_that_exhausts_the_memory_while_it_is_described_has_a_result(
    media: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its analysis says what is wrong with it."""

    def refused(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(video, "probe", refused)
    monkeypatch.setattr(pipeline, "probe", refused)
    clip = write_noise(tmp_path / "greedy.mp4", frames=3)
    with clip.open("rb") as file:
        upload = uploads.add_stream(media, clip.name, file)
    run = store.create_run(media, upload, ["space"], state=RunState.RUNNING)
    ended = Execution(media, run.id).analyse(run, lambda *_: None)
    assert ended.state is RunState.DONE
    assert ended.analysis is not None
    assert ended.analysis.reason is Reason.UNREADABLE
    assert "greedy.mp4 needs more memory" in (ended.analysis.detail or "")
