from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from detection.jobs import presence


def test_a_worker_is_known_as_long_as_it_lives(media: Path) -> None:
    with presence.announced(media, "gpu-1", "redis"):
        (worker,) = presence.living(media)
        assert (worker.name, worker.pid, worker.queue) == ("gpu-1", os.getpid(), "redis")
        assert presence.is_alive(media, "gpu-1")
    assert presence.living(media) == []
    assert not presence.is_alive(media, "gpu-1")


def test_one_that_was_killed_is_not_taken_for_alive(media: Path) -> None:
    child = os.fork()
    if child == 0:
        with presence.announced(media, "gpu-1", "redis"):
            os._exit(9)  # as a signal ends it: nothing is tidied up
    os.waitpid(child, 0)
    assert (media / "queue" / "workers" / "gpu-1.json").exists()
    assert presence.living(media) == []
    with presence.announced(media, "gpu-1", "redis"):
        assert presence.is_alive(media, "gpu-1")


def test_a_name_is_taken_once(media: Path) -> None:
    with (
        presence.announced(media, "gpu-1", "redis"),
        pytest.raises(BlockingIOError),
        presence.announced(media, "gpu-1", "redis"),
    ):
        pass


def test_the_long_dead_are_forgotten_and_the_living_are_not(media: Path) -> None:
    folder = media / "queue" / "workers"
    with presence.announced(media, "alive", "redis"):
        (folder / "dead.lock").touch()
        (folder / "dead.json").write_text("{}")
        then = time.time() - 2 * presence.FORGET_AFTER_S
        for name in ("alive.lock", "dead.lock"):
            os.utime(folder / name, (then, then))
        with presence.announced(media, "new", "redis"):
            assert sorted(path.name for path in folder.iterdir() if "dead" in path.name) == []
            assert [worker.name for worker in presence.living(media)] == ["alive", "new"]


@pytest.mark.parametrize("name", ["../x", "", ".hidden", "a/b", "x" * 81])
def test_a_name_is_no_path(name: str) -> None:
    with pytest.raises(ValueError, match="letters"):
        presence.checked_name(name)
