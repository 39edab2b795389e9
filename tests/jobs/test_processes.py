"""What happens to runs when processes die, with real servers, workers, signals and files."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from detection import jobs
from detection.jobs.reporting import Progress
from detection.modules import MODULES
from detection.records import query, store, uploads
from detection.records.schema import RunRecord, RunState
from tests.clips import write_astronaut
from tests.jobs import doubles
from tests.jobs.server import ROOT, environment, serving, the_worker, wait_for, worker_pids

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes through /proc")


@pytest.fixture(autouse=True)
def _doubles(monkeypatch: pytest.MonkeyPatch) -> None:
    for spec in doubles.SPECS:
        monkeypatch.setitem(MODULES, spec.key, spec)


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("clips")
    return [write_astronaut(folder / f"{n}.mp4", frames=20, mark=n) for n in range(3)]


def start(media: Path, clip: Path, module: str) -> str:
    with clip.open("rb") as file:
        upload = uploads.add_stream(media, clip.name, uploads.read_chunks(file))
    (run_id,) = jobs.start([upload.sha256], [module])
    return run_id


def in_the_middle(run_id: str) -> Progress:
    """The run's progress once its module has begun."""

    def look() -> Progress | None:
        progress = jobs.progress(run_id)
        return progress if progress.step is not None and progress.step.stage in MODULES else None

    return wait_for(f"run {run_id} in the middle", look)


def ended(media: Path, run_id: str) -> RunRecord:
    def look() -> RunRecord | None:
        record = store.load_run(media, run_id)
        return record if record.state.is_final else None

    return wait_for(f"the end of run {run_id}", look)


def test_a_killed_worker_is_replaced_and_its_run_done_again(media: Path, clips: list[Path]) -> None:
    with serving(media, "--noreload") as server:
        run_id, queued = start(media, clips[0], "slow"), start(media, clips[1], "slow")
        assert in_the_middle(run_id).state is RunState.RUNNING
        assert jobs.progress(queued).position == 1
        victim = the_worker(media)
        os.kill(victim, signal.SIGKILL)
        record = ended(media, run_id)
        assert (record.state, record.attempts, record.error) == (RunState.DONE, 2, None)
        assert record.analysis is not None
        assert record.analysis.modules["slow"].score == 0.9
        assert ended(media, queued).attempts == 1
        assert the_worker(media) != victim
        server.stop()
    assert query.history(media).page().total == 2


@pytest.mark.slow
def test_a_run_that_kills_its_worker_twice_fails_with_the_signal(media: Path, clips: list[Path]) -> None:
    with serving(media, "--noreload"):
        poison, after = start(media, clips[0], "crashing"), start(media, clips[1], "slow")
        record = ended(media, poison)
        assert (record.state, record.attempts) == (RunState.FAILED, 2)
        assert record.error is not None
        assert "SIGSEGV" in record.error
        assert ended(media, after).state is RunState.DONE


def test_a_stopped_server_loses_no_run_and_no_attempt(media: Path, clips: list[Path]) -> None:
    with serving(media, "--noreload") as server:
        running, queued = start(media, clips[0], "slow"), start(media, clips[1], "slow")
        in_the_middle(running)
        server.stop(signal.SIGINT)
    states = [store.load_run(media, run_id) for run_id in (running, queued)]
    assert [(run.state, run.attempts) for run in states] == [(RunState.QUEUED, 0)] * 2
    assert [run.id for run in jobs.active()] == [running, queued]
    assert not jobs.queue_state().worker_alive
    with serving(media, "--noreload"):
        for run_id in (running, queued):
            record = ended(media, run_id)
            assert (record.state, record.attempts) == (RunState.DONE, 1)


def test_the_worker_of_a_killed_server_puts_its_run_back_and_ends(media: Path, clips: list[Path]) -> None:
    with serving(media, "--noreload") as server:
        run_id = start(media, clips[0], "slow")
        in_the_middle(run_id)
        server.stop(signal.SIGKILL)
    record = store.load_run(media, run_id)
    assert (record.state, record.attempts) == (RunState.QUEUED, 0)


def test_a_running_run_is_cancelled_and_tried_again(media: Path, clips: list[Path]) -> None:
    with serving(media, "--noreload"):
        run_id = start(media, clips[0], "slow")
        in_the_middle(run_id)
        worker = the_worker(media)
        jobs.cancel(run_id)
        assert ended(media, run_id).state is RunState.CANCELLED
        jobs.retry(run_id)
        record = ended(media, run_id)
        assert (record.state, record.attempts) == (RunState.DONE, 1)
        assert the_worker(media) == worker


@pytest.mark.slow
def test_a_run_that_hangs_is_cancelled_with_its_worker(media: Path, clips: list[Path]) -> None:
    with serving(media, "--noreload"):
        hanging, after = start(media, clips[0], "hanging"), start(media, clips[1], "slow")
        in_the_middle(hanging)
        jobs.cancel(hanging)
        assert ended(media, hanging).state is RunState.CANCELLED
        assert ended(media, after).state is RunState.DONE


def test_a_run_that_takes_too_long_fails(media: Path, clips: list[Path]) -> None:
    with serving(media, "--noreload", TEST_RUN_TIMEOUT_S="4"):
        hanging, after = start(media, clips[0], "hanging"), start(media, clips[1], "raising")
        record = ended(media, hanging)
        assert (record.state, record.attempts) == (RunState.FAILED, 1)
        assert record.error == "The analysis took longer than 4.0 s (DEEPFAKE_RUN_TIMEOUT_S)."
        record = ended(media, after)
        assert (record.state, record.error) == (RunState.FAILED, "The analysis failed: the network broke")


def test_a_run_that_takes_too_much_memory_fails_and_the_worker_begins_anew(media: Path, clips: list[Path]) -> None:
    with serving(media, "--noreload", TEST_MAX_MEMORY_MB="900"):
        fat = the_worker(media)
        greedy, after = start(media, clips[0], "greedy"), start(media, clips[1], "slow")
        record = ended(media, greedy)
        assert (record.state, record.attempts) == (RunState.FAILED, 1)
        assert record.error == "The analysis took more than 900 MB of memory (DEEPFAKE_MAX_MEMORY_MB)."
        assert ended(media, after).state is RunState.DONE
        assert the_worker(media) != fat


def test_the_reloading_server_keeps_exactly_one_worker(media: Path, tmp_path: Path) -> None:
    probe = tmp_path / "reloaded.py"
    probe.write_text("VALUE = 1\n")
    with serving(media, TEST_RELOADED=str(tmp_path)) as server:
        first_server, first = server.serving_pid(), the_worker(media)
        assert first_server != server.pid  # the reloader is a process of its own, which must not have a worker
        time.sleep(1.5)  # longer than the granularity that the reloader looks at times with
        probe.write_text("VALUE = 2\n")
        wait_for("a new server process", lambda: server.serving_pid() not in (None, first_server))
        wait_for("the end of the old worker", lambda: first not in worker_pids(media))
        assert the_worker(media) != first
        server.stop()


@pytest.mark.slow
def test_two_servers_share_one_worker_and_the_second_steps_in(media: Path) -> None:
    with serving(media, "--noreload") as first, serving(media, "--noreload") as second:
        worker = the_worker(media)
        for _ in range(30):  # longer than a supervisor takes to look
            assert worker_pids(media) == [worker]
            time.sleep(0.1)
        os.kill(first.pid, signal.SIGKILL)
        wait_for("the end of its worker", lambda: worker not in worker_pids(media))
        assert the_worker(media) != worker
        second.stop()


@pytest.mark.slow
def test_gunicorn_with_several_processes_has_one_worker(media: Path, clips: list[Path]) -> None:
    with serving(media, gunicorn_workers=3) as server:
        run_id = start(media, clips[0], "slow")
        in_the_middle(run_id)
        the_worker(media)
        assert ended(media, run_id).state is RunState.DONE
        in_use = the_worker(media)
        time.sleep(3)
        assert worker_pids(media) == [in_use]
        server.stop()


def test_a_worker_by_hand_gives_way_to_the_one_that_is_there(media: Path) -> None:
    command = [sys.executable, "manage.py", "worker"]
    first = subprocess.Popen(command, cwd=ROOT, env=environment(media))
    try:
        assert the_worker(media) == first.pid
        second = subprocess.run(command, cwd=ROOT, env=environment(media), capture_output=True, text=True, check=False)
        assert second.returncode == 75
        assert "Another worker serves" in second.stderr
        first.send_signal(signal.SIGTERM)
        assert first.wait(20) == 0
    finally:
        first.kill()
        first.wait()
