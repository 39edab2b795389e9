"""Looking at files in forked processes: answers, crashes, limits, and a process that is gone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from detection.vision.inspector import Crashed, Inspector
from tests.clips import write_astronaut, write_sound

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes through /proc")


@pytest.fixture(scope="module")
def inspector() -> Iterator[Inspector]:
    inspector = Inspector()
    yield inspector
    inspector._process.kill()
    inspector._process.wait()


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_astronaut(tmp_path_factory.mktemp("clips") / "clip.mp4", frames=10)


def words(source: Path, target: Path, seconds: float = 30.0) -> list[str]:
    return ["inspect", str(source), str(target), "--memory-mb", "4096", "--seconds", str(seconds)]


def test_many_files_are_looked_at_by_children_of_one_process(inspector: Inspector, clip: Path, tmp_path: Path) -> None:
    answers = []

    def ask(number: int) -> None:
        answers.append(inspector.ask(words(clip, tmp_path / f"{number}.jpg"), 30.0))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [status for status, _ in answers] == [0] * 6
    assert {json.loads(output)["frames"] for _, output in answers} == {10}
    assert len(list(tmp_path.glob("*.jpg"))) == 6


def test_a_file_without_pictures_is_told_as_the_command_tells_it(inspector: Inspector, tmp_path: Path) -> None:
    status, output = inspector.ask(words(write_sound(tmp_path / "sound.mp4"), tmp_path / "poster.jpg"), 30.0)
    assert (status, json.loads(output)["reason"]) == (2, "no_video_stream")


def test_a_child_that_is_ended_costs_its_own_answer_alone(inspector: Inspector, clip: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "never ends.mp4"
    os.mkfifo(pipe)  # opening it waits for ever
    with pytest.raises(Crashed):
        inspector.ask(words(pipe, tmp_path / "poster.jpg", seconds=0.5), 0.5)
    assert inspector.ask(words(clip, tmp_path / "poster.jpg"), 30.0)[0] == 0


def test_a_process_that_was_killed_is_replaced(inspector: Inspector, clip: Path, tmp_path: Path) -> None:
    inspector.ask(words(clip, tmp_path / "first.jpg"), 30.0)
    before = inspector._process
    os.kill(before.pid, signal.SIGKILL)
    before.wait()
    assert inspector.ask(words(clip, tmp_path / "second.jpg"), 30.0)[0] == 0
    assert inspector._process.pid != before.pid


def test_it_ends_with_the_process_that_started_it(tmp_path: Path, clip: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom detection.vision.inspector import Inspector\n"
        "inspector = Inspector()\ninspector.ask(sys.argv[1:], 30.0)\nprint(inspector._process.pid, flush=True)\n"
        "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"
    )
    command = [sys.executable, "-c", code, *words(clip, tmp_path / "poster.jpg")]
    started = subprocess.run(command, capture_output=True, text=True, check=False)
    pid = int(started.stdout)
    deadline = time.monotonic() + 60
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{pid}").exists()


def test_it_does_not_outlive_one_that_was_gone_before_it_began(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    command = [sys.executable, "-m", "detection.vision.inspector", str(tmp_path / "own" / "inspector"), str(gone.pid)]
    (tmp_path / "own").mkdir()
    assert subprocess.run(command, check=False, timeout=120).returncode == 0
    assert list(tmp_path.iterdir()) == []
