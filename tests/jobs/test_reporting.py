from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from detection import jobs
from detection.jobs import Step, pace
from detection.jobs.control import Interrupt, Interrupted, control
from detection.jobs.pace import Pace
from detection.jobs.reporting import Reporter, read_step
from detection.records import lifecycle, store
from detection.records.schema import RunState
from tests.records import make


class Clock:
    """The time that a reporter sees."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_s = 100.0
        monkeypatch.setattr("detection.jobs.reporting.time.monotonic", lambda: self.now_s)

    def pass_s(self, seconds: float) -> None:
        self.now_s += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def running(media: Path, modules: tuple[str, ...] = ("space",)) -> str:
    run = make.queued_run(media, modules=modules)
    store.update_run(media, run.id, lambda r: replace(r, state=RunState.RUNNING, attempts=1))
    return run.id


def step(media: Path, run_id: str) -> Step:
    found = jobs.progress(run_id).step
    assert found is not None
    return found


def test_progress_is_what_the_pipeline_reports(media: Path, clock: Clock) -> None:
    run_id = running(media)
    report = Reporter(media, run_id, ["space"])
    report("probe", 0, 1)
    assert (step(media, run_id).stage, step(media, run_id).percent) == ("probe", 0.0)
    report("decode", 0, 200)
    clock.pass_s(0.1)
    report("decode", 10, 200)  # too soon after the last to be written
    assert step(media, run_id).done == 0
    clock.pass_s(3.9)
    report("decode", 50, 200)
    assert (step(media, run_id).done, step(media, run_id).total) == (50, 200)
    report("space", 0, 40)  # a new stage is written at once
    assert (step(media, run_id).stage, step(media, run_id).done) == ("space", 0)


def test_the_time_left_is_unknown_until_every_stage_has_been_seen(media: Path, clock: Clock) -> None:
    run_id = running(media)
    report = Reporter(media, run_id, ["space"])
    report("decode", 0, 100)
    clock.pass_s(5)
    report("decode", 50, 100)
    assert step(media, run_id).seconds_left is None  # nobody knows yet how long "space" takes
    assert step(media, run_id).percent == 25.0
    clock.pass_s(5)
    report("decode", 100, 100)
    report("space", 0, 100)
    clock.pass_s(10)
    report("space", 50, 100)
    assert step(media, run_id).seconds_left == 10.0  # the last stage, whose rate is known now
    assert step(media, run_id).percent == 75.0
    clock.pass_s(10)
    report("space", 100, 100)
    report("fuse", 0, 1)
    report.finished()

    run_id = running(media)
    report = Reporter(media, run_id, ["space"])
    report("decode", 0, 50)
    assert step(media, run_id).seconds_left == 15.0  # 50 frames at 0.1 and 0.2 s
    clock.pass_s(2)
    report("decode", 10, 50)  # slower than before: 0.2 s a frame
    assert step(media, run_id).seconds_left == 18.0
    assert step(media, run_id).percent == pytest.approx(100 * 0.2 / 3, abs=0.1)


def test_a_module_that_is_not_available_is_expected_to_take_no_time(media: Path, clock: Clock) -> None:
    for _ in range(2):
        run_id = running(media, ("space", "blend"))
        report = Reporter(media, run_id, ["space", "blend"])
        report("decode", 0, 100)
        clock.pass_s(10)
        report("decode", 100, 100)
        report("space", 0, 10)
        clock.pass_s(2)
        report("space", 5, 10)
        left, percent = step(media, run_id).seconds_left, step(media, run_id).percent
        clock.pass_s(2)
        report("fuse", 0, 1)
        report.finished()
    assert left == 2.0
    assert percent == pytest.approx(100 * 12 / 14, abs=0.1)


def test_a_video_without_faces_teaches_nothing(media: Path, clock: Clock) -> None:
    report = Reporter(media, running(media), ["space"])
    report("decode", 0, 100)
    clock.pass_s(10)
    report("decode", 100, 100)
    report.finished()
    assert pace.load(media) == Pace({})


def test_the_percentage_never_falls(media: Path, clock: Clock) -> None:
    run_id = running(media)
    report = Reporter(media, run_id, ["space"])
    seen = []
    for stage, done, total in (("decode", 90, 100), ("decode", 80, 120), ("space", 0, 10), ("fuse", 0, 1)):
        clock.pass_s(1)
        report(stage, done, total)
        seen.append(step(media, run_id).percent)
    assert seen == sorted(seen)


def test_a_pace_follows_what_the_latest_runs_took() -> None:
    slow = Pace({}).after({"decode": 100.0}, 100)
    assert slow.seconds(["decode"], 10) == 10.0
    faster = slow
    for _ in range(20):
        faster = faster.after({"decode": 10.0}, 100)
    assert faster.seconds(["decode"], 10) == pytest.approx(1.0, rel=0.02)
    assert faster.seconds(["decode", "space"], 10) is None


def test_a_pace_that_cannot_be_read_or_kept_costs_no_run(media: Path, clock: Clock) -> None:
    (media / "queue").write_text("a file where the folder should be")
    run_id = running(media)
    report = Reporter(media, run_id, ["space"])
    report("decode", 0, 10)
    report.finished()
    assert pace.load(media) == Pace({})


def test_a_report_ends_a_run_that_was_cancelled(media: Path) -> None:
    run_id = running(media)
    report = Reporter(media, run_id, ["space"])
    report("decode", 0, 10)
    jobs.cancel(run_id)
    with pytest.raises(Interrupted) as caught:
        report("decode", 10, 10)
    assert caught.value.why is Interrupt.CANCEL
    control.check()  # the process itself goes on


def test_a_step_that_cannot_be_read_is_none(media: Path) -> None:
    run_id = running(media)
    assert read_step(store.run_dir(media, run_id) / lifecycle.PROGRESS) is None
    (store.run_dir(media, run_id) / lifecycle.PROGRESS).write_text("{")
    assert jobs.progress(run_id).step is None
