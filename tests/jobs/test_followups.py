"""Relighting, and the verdict under changed light, as jobs; in this process, with the real engine."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from detection import jobs
from detection.inference.weights import sha256_of
from detection.jobs import followup_work, followups, recovery, relighting
from detection.jobs.control import Control, Interrupt, Interrupted
from detection.jobs.queue import FileQueue, QueueUnreachable
from detection.jobs.tasks import do_followup
from detection.records import followups as records
from detection.records import lifecycle, store, uploads
from detection.records.followups import FollowUp
from detection.records.schema import Analysis, PersonOutcome, RunRecord, RunState, Span, VideoProperties
from detection.vision.video import probe
from relitalk.light import Light
from relitalk.request import Request
from tests.clips import write_astronaut, write_noise
from tests.jobs.server import serving, the_worker, wait_for

REQUEST = Request(Light(60, 10))


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_astronaut(tmp_path_factory.mktemp("clips") / "astronaut.mp4", frames=20)


def finished_run(root: Path, video: Path, end_s: float = 0.8) -> RunRecord:
    """A run that was analysed; its one person shows from 0 s to `end_s`."""
    with video.open("rb") as file:
        upload = uploads.add_stream(root, video.name, uploads.read_chunks(file))
    record = store.create_run(root, upload, ["space"])
    person = PersonOutcome(1, 0.1, "real", 20, (Span(0.0, end_s),))
    analysis = Analysis("real", 0.1, None, None, None, {}, (person,), end_s, 20, 20, 1.0, {})
    return store.finish_run(root, record.id, RunState.DONE, analysis=analysis)


def do(followup: FollowUp) -> FollowUp:
    do_followup.call(followup.run, followup.id)
    return followups.progress(followup.run, followup.id).followup


def test_a_clip_is_made_kept_with_its_manifest_and_found_again(media: Path, clip: Path) -> None:
    run = finished_run(media, clip)
    asked = followups.ask_to_relight(run.id, REQUEST)
    assert [job.args for job in FileQueue(media).pending()] == [[run.id, asked.id]]
    done = do(asked)
    assert (done.state, done.attempts, done.error) == (RunState.DONE, 1, None)
    assert done.result is not None
    assert done.result["video_sha256"] == run.sha256
    assert done.result["report"]["frames_relit"] == 20
    folder = followups.relit_folder(run.id, done.id)
    assert sorted(path.name for path in folder.iterdir()) == ["manifest.json", "relit.mp4"]

    again = followups.ask_to_relight(run.id, Request(Light(60.0, 10.0)))
    assert again == done  # answered at once
    assert len(list(FileQueue(media).pending())) == 1
    (folder / "relit.mp4").unlink()
    assert followups.ask_to_relight(run.id, REQUEST).state is RunState.QUEUED


def test_frames_are_kept_when_asked_for(media: Path, clip: Path) -> None:
    run = finished_run(media, clip)
    done = do(followups.ask_to_relight(run.id, REQUEST, keep_frames=True))
    assert len(list((followups.relit_folder(run.id, done.id) / "frames").glob("*.png"))) == 20


def test_the_progress_is_that_of_the_frames(media: Path, clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, int, int | None]] = []
    report = followup_work.StageReporter.__call__

    def spy(self: Any, stage: str, done: int, total: int | None) -> None:
        seen.append((stage, done, total))
        report(self, stage, done, total)

    monkeypatch.setattr(followup_work.StageReporter, "__call__", spy)
    do(followups.ask_to_relight(finished_run(media, clip).id, REQUEST))
    assert seen == [(stage, n, 20) for stage in ("relight_analyse", "relight_render") for n in range(1, 21)]


@pytest.mark.parametrize(("make", "fault"), [("noise", "no_face"), ("short", "too_few_frames"), ("text", "unreadable")])
def test_bad_input_fails_with_its_reason_and_keeps_nothing(media: Path, tmp_path: Path, make: str, fault: str) -> None:
    path = tmp_path / "bad.mp4"
    if make == "noise":
        write_noise(path)
    elif make == "short":
        write_astronaut(path, frames=2)
    else:
        path.write_text("no video")
    run = finished_run(media, path)
    failed = do(followups.ask_to_relight(run.id, REQUEST))
    assert (failed.state, failed.fault) == (RunState.FAILED, fault)
    assert not followups.relit_folder(run.id, failed.id).exists()
    assert followups.retry(run.id, failed.id).state is RunState.QUEUED


def test_a_dead_server_is_named_as_the_fault(
    media: Path, clip: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.RELITALK_URL, settings.RELITALK_TOKEN = "http://127.0.0.1:9", "token"
    monkeypatch.setattr("relitalk.remote.RemoteEngine.__init__.__kwdefaults__", {"patience_s": 0.0, "poll_s": 0.01})
    failed = do(followups.ask_to_relight(finished_run(media, clip).id, REQUEST))
    assert (failed.state, failed.fault) == (RunState.FAILED, "server_unreachable")


def test_a_removed_video_is_said(media: Path, clip: Path) -> None:
    run = finished_run(media, clip)
    asked = followups.ask_to_relight(run.id, REQUEST)
    (media / run.upload).unlink()
    failed = do(asked)
    assert failed.error is not None
    assert "Upload it again" in failed.error


def test_only_a_finished_run_is_relit_and_only_an_idle_one_deleted(media: Path, clip: Path) -> None:
    run = finished_run(media, clip)
    queued = store.create_run(media, uploads.find_upload(media, run.sha256), ["space"])
    with pytest.raises(followups.RunNotFinished):
        followups.ask_to_relight(queued.id, REQUEST)
    asked = followups.ask_to_relight(run.id, REQUEST)
    with pytest.raises(store.RunIsActive):
        jobs.delete(run.id)
    assert followups.cancel(run.id, asked.id).state is RunState.CANCELLED
    assert do(asked).state is RunState.CANCELLED  # the job that is still in the queue does nothing
    followups.remove(run.id, asked.id)
    jobs.delete(run.id)


@pytest.mark.parametrize(("why", "state"), [(Interrupt.CANCEL, RunState.CANCELLED), (Interrupt.STOP, RunState.QUEUED)])
def test_an_interruption_ends_the_work_in_order(
    media: Path, clip: Path, monkeypatch: pytest.MonkeyPatch, why: Interrupt, state: RunState
) -> None:
    run = finished_run(media, clip)
    asked = followups.ask_to_relight(run.id, REQUEST)
    control = Control()
    checks = iter(range(100))

    def check() -> None:
        if next(checks) > 30:
            raise Interrupted(why)

    monkeypatch.setattr(control, "check", check)
    monkeypatch.setattr("detection.jobs.reporting.control", control)
    monkeypatch.setattr(relighting, "control", control)
    with pytest.raises(Interrupted):
        do_followup.call(run.id, asked.id)
    ended = followups.progress(run.id, asked.id).followup
    assert (ended.state, ended.attempts) == (state, 1 if why is Interrupt.CANCEL else 0)
    assert not followups.relit_folder(run.id, asked.id).exists()


def test_the_verdict_is_looked_at_under_five_lights(media: Path, tmp_path: Path) -> None:
    run = finished_run(media, write_astronaut(tmp_path / "clip.mp4", frames=30), end_s=1.2)
    done = do(followups.ask_for_changed_light(run.id))
    assert (done.state, done.error) == (RunState.DONE, None)
    assert done.result is not None
    rows = done.result["rows"]
    assert [row["light"] for row in rows] == ["source", "front", "left", "right", "top", "below"]
    assert all(0 < row["score"] < 1 for row in rows)
    assert len({row["score"] for row in rows}) == 6  # six clips, six measurements
    assert not list(store.run_dir(media, run.id).glob(".changed-light-*"))


def test_every_clip_under_another_light_is_known_by_its_own_hash(
    media: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, str]] = []

    def spy(path: Path, *given: Any) -> VideoProperties:
        video = probe(path, *given)
        seen.append((video.sha256, sha256_of(path)))
        return video

    monkeypatch.setattr("detection.pipeline.probe", spy)
    do(followups.ask_for_changed_light(finished_run(media, write_astronaut(tmp_path / "clip.mp4", frames=30), 1.2).id))
    assert len({said for said, _ in seen}) == 6
    assert all(said == found for said, found in seen)


def test_a_run_without_people_has_no_verdict_to_change(media: Path, clip: Path) -> None:
    run = finished_run(media, clip)
    assert run.analysis is not None
    store.save_run(media, replace(run, analysis=replace(run.analysis, people=())))
    failed = do(followups.ask_for_changed_light(run.id))
    assert (failed.state, failed.fault) == (RunState.FAILED, "no_face")


def test_what_was_recorded_but_never_queued_is_queued(
    media: Path, clip: Path, queue: FileQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovery, "GRACE_S", -1.0)
    run = finished_run(media, clip)
    records.request(media, run.id, "a" * 24, "relight", {})
    recovery.settle_followups(media, queue)
    assert [job.args for job in queue.pending()] == [[run.id, "a" * 24]]


def test_a_queue_that_does_not_answer_loses_no_request(
    media: Path, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise QueueUnreachable("no answer")

    monkeypatch.setattr(followups, "do_followup", SimpleNamespace(enqueue=refuse))
    asked = followups.ask_to_relight(finished_run(media, clip).id, REQUEST)
    assert records.load(media, asked.run, asked.id).state is RunState.QUEUED


def test_a_damaged_one_costs_the_others_nothing(
    media: Path, clip: Path, queue: FileQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovery, "GRACE_S", -1.0)
    run = finished_run(media, clip)
    records.request(media, run.id, "a" * 24, "relight", {})
    records.request(media, run.id, "b" * 24, "relight", {})
    (records.folder(media, run.id, "a" * 24) / lifecycle.RECORD).write_bytes(b"{")
    assert followups.progress(run.id, "b" * 24).before == 0
    recovery.settle_followups(media, queue)
    followups.cancel(run.id, "b" * 24)
    assert records.active(media) == []
    _, is_to_be_queued = records.request(media, run.id, "a" * 24, "relight", {})
    assert is_to_be_queued


def test_one_whose_process_is_gone_fails(
    media: Path, clip: Path, queue: FileQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovery, "GRACE_S", -1.0)
    run = finished_run(media, clip)
    records.request(media, run.id, "a" * 24, "relight", {})
    records.life_of(media, run.id, "a" * 24).begin()
    with records.life_of(media, run.id, "a" * 24).holding():
        recovery.settle_followups(media, queue)
        assert records.load(media, run.id, "a" * 24).state is RunState.RUNNING
    recovery.settle_followups(media, queue)
    assert records.load(media, run.id, "a" * 24).state is RunState.FAILED
    assert records.active(media) == []


@pytest.mark.parametrize(
    ("why", "state", "words"),
    [
        (Interrupt.MEMORY, RunState.FAILED, "DEEPFAKE_MAX_MEMORY_MB"),
        (Interrupt.TIMEOUT, RunState.FAILED, "DEEPFAKE_RUN_TIMEOUT_S"),
        (Interrupt.CANCEL, RunState.CANCELLED, ""),
        (Interrupt.STOP, RunState.QUEUED, ""),
    ],
)
def test_only_one_that_the_server_stopped_is_done_again(
    media: Path, clip: Path, why: Interrupt, state: RunState, words: str
) -> None:
    run = finished_run(media, clip)
    records.request(media, run.id, "a" * 24, "relight", {})
    execution = followup_work.FollowUpExecution(media, run.id, "a" * 24)
    execution.begin()
    execution.settle(why)
    settled = records.load(media, run.id, "a" * 24)
    assert settled.state is state
    assert words in (settled.error or "")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks at processes through /proc")
def test_a_killed_worker_is_replaced_and_the_clip_made_again(media: Path, tmp_path: Path) -> None:
    run = finished_run(media, write_astronaut(tmp_path / "clip.mp4", frames=60))
    with serving(media, "--noreload"):
        asked = followups.ask_to_relight(run.id, REQUEST)
        wait_for("the first frames", lambda: followups.progress(run.id, asked.id).step)
        os.kill(the_worker(media), signal.SIGKILL)

        def ended() -> FollowUp | None:
            now = followups.progress(run.id, asked.id).followup
            return now if now.state.is_final else None

        done = wait_for("the clip", ended, within_s=180)
        assert (done.state, done.attempts) == (RunState.DONE, 2)
