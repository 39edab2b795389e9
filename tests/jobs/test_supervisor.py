from __future__ import annotations

import errno
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from detection.jobs import queues
from detection.jobs import supervisor as supervising
from detection.jobs.supervisor import Supervisor, how_it_died
from detection.jobs.worker import EXIT_ABANDONED, EXIT_BUSY, EXIT_STOPPED
from tests.jobs.server import wait_for

NOTES_ITS_START = "import sys; open(sys.argv[1], 'a').write('x')"


def supervisor(code: str, notes: Path) -> Supervisor:
    return Supervisor([sys.executable, "-c", code, str(notes)])


@contextmanager
def over_a_sleeper(notes: Path) -> Iterator[Supervisor]:
    """A supervisor whose worker has started and sleeps; stopped afterwards."""
    overseer = supervisor(f"{NOTES_ITS_START}; import time; time.sleep(60)", notes)
    overseer.start()
    wait_for("the start", notes.exists)
    yield overseer
    overseer.stop()
    overseer.join(10)


def test_a_worker_that_cannot_start_is_not_started_in_a_frenzy(media: Path, tmp_path: Path) -> None:
    notes = tmp_path / "starts"
    broken = supervisor(f"{NOTES_ITS_START}; sys.exit(1)", notes)
    broken.start()
    wait_for("a second start", lambda: notes.exists() and len(notes.read_text()) == 2)
    time.sleep(1.0)
    assert len(notes.read_text()) == 2
    broken.stop()
    broken.join(10)
    assert not broken.is_alive()


def test_a_supervisor_outlives_a_queue_that_cannot_be_looked_at(
    media: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([OSError(errno.EMFILE, "Too many open files")])

    def has_servers_worker() -> bool:
        for error in answers:
            raise error
        return False

    monkeypatch.setattr(queues, "has_servers_worker", has_servers_worker)
    monkeypatch.setattr(supervising, "LONGEST_PAUSE_S", 0.05)
    with over_a_sleeper(tmp_path / "starts") as outlived:
        assert outlived.is_alive()


def test_stopping_ends_the_worker(media: Path, tmp_path: Path) -> None:
    notes = tmp_path / "starts"
    with over_a_sleeper(notes) as sleeping:
        pass
    assert not sleeping.is_alive()
    assert notes.read_text() == "x"


def test_a_supervisor_that_a_fork_inherited_stops_nothing(media: Path, tmp_path: Path) -> None:
    with over_a_sleeper(tmp_path / "starts") as parent:
        parent._server += 1  # as seen from a process with another id
        parent.stop()
        time.sleep(0.3)
        assert parent.is_alive()
        parent._server -= 1


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (EXIT_STOPPED, None),
        (EXIT_ABANDONED, None),
        (EXIT_BUSY, None),
        (1, "with exit status 1"),
        (-11, "by SIGSEGV"),
        (-40, "by signal 40"),
        (-14, "by SIGALRM (the time limit was over)"),
        (-9, "by SIGKILL (killed, as the system does when memory runs out)"),
    ],
)
def test_an_end_is_told_in_words(status: int, words: str | None) -> None:
    assert how_it_died(status) == words
