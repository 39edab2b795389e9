from __future__ import annotations

from pathlib import Path

import pytest

from detection.jobs import execution
from detection.management import isolation
from detection.management.isolation import Analyst, AnalystDied, Answer, Request
from detection.records import store, uploads
from detection.records.schema import RunState
from tests.clips import write_astronaut


@pytest.fixture
def request_(tmp_path: Path) -> Request:
    return Request(tmp_path / "a.mp4", "0" * 64, ("space",), tmp_path)


def test_a_report_that_fails_is_not_taken_for_the_childs_death(
    request_: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(request: Request, report: isolation.ReportProgress) -> Answer:
        report("decode", 1, 2)
        return Answer(problem="none")

    def closed(stage: str, done: int, total: int) -> None:
        raise BrokenPipeError("the terminal is gone")

    monkeypatch.setattr(isolation, "_answer", answer)
    with Analyst(timeout_s=60, memory_mb=4000) as analyst:
        with pytest.raises(BrokenPipeError, match="the terminal is gone"):
            analyst.analyse(request_, closed)
        analyst.end()
        assert analyst.analyse(request_, lambda *_: None) == Answer(problem="none")


def test_a_child_that_dies_is_told_with_its_stage(request_: Request, monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(request: Request, report: isolation.ReportProgress) -> Answer:
        report("faces", 1, 2)
        raise SystemExit(3)

    monkeypatch.setattr(isolation, "_answer", answer)
    with Analyst(timeout_s=60, memory_mb=4000) as analyst, pytest.raises(AnalystDied, match="exit status 3") as died:
        analyst.analyse(request_, lambda *_: None)
    assert died.value.stage == "faces"


def test_refused_memory_is_not_called_a_cancellation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(execution, "analyse_video", refused)
    with write_astronaut(tmp_path / "face.mp4", frames=20).open("rb") as file:
        upload = uploads.add_stream(tmp_path, "face.mp4", file)
    run = store.create_run(tmp_path, upload, ["space"], state=RunState.RUNNING)
    request = Request(tmp_path / upload.path, upload.sha256, ("space",), tmp_path, run.id)
    answer = isolation._answer(request, lambda *_: None)
    assert answer.problem is not None
    assert "DEEPFAKE_MAX_MEMORY_MB" in answer.problem
    assert store.load_run(tmp_path, run.id).error == answer.problem
