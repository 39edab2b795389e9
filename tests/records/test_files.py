from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from detection.records import files

# A writer that is killed at the worst moment: everything is written, the rename has not happened.
DIES_BEFORE_RENAME = """
    import os, signal, sys
    from pathlib import Path
    from detection.records.files import write_atomic
    Path.replace = lambda self, target: os.kill(os.getpid(), signal.SIGKILL)
    write_atomic(Path(sys.argv[1]), b"new")
"""


def test_a_crash_between_write_and_rename_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    files.write_atomic(path, b"old")
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(DIES_BEFORE_RENAME), str(path)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert path.read_bytes() == b"old"
    files.write_atomic(path, b"newer")
    assert path.read_bytes() == b"newer"


def test_a_failed_write_leaves_neither_a_new_file_nor_rubbish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "record.json"
    files.write_atomic(path, b"old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        files.write_atomic(path, b"new")
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["record.json"]


def test_a_lock_keeps_others_out_until_its_holder_is_killed(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    code = "import sys, time; from pathlib import Path; from detection.records.files import locked\n"
    code += "with locked(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    holder = subprocess.Popen([sys.executable, "-c", code, str(lock)], stdout=subprocess.PIPE)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert files.is_locked(lock)
        with pytest.raises(BlockingIOError), files.locked(lock, within_s=0.0):
            pass
    finally:
        holder.kill()
        holder.communicate()
    assert not files.is_locked(lock)


def test_what_a_killed_writer_left_is_removed_when_it_is_old(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    subprocess.run([sys.executable, "-c", textwrap.dedent(DIES_BEFORE_RENAME), str(path)], check=False)
    (left,) = tmp_path.iterdir()
    assert files.remove_left_behind(tmp_path, 3600.0) == 0
    os.utime(left, (0, 0))
    path.write_bytes(b"not mine to remove")
    assert files.remove_left_behind(tmp_path, 3600.0) == 1
    assert list(tmp_path.iterdir()) == [path]


def test_a_time_in_the_future_is_long_ago(tmp_path: Path) -> None:
    path = tmp_path / "mark"
    path.touch()
    assert files.age_s(path.stat().st_mtime) < 60
    assert files.age_s(path.stat().st_mtime + 86_400) > 86_000  # the clock was set back by a day


def test_a_lock_can_be_looked_at_on_a_disk_that_is_closed_to_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_open = os.open

    def closed(path: Path, flags: int, mode: int = 0o777) -> int:
        if flags & (os.O_RDWR | os.O_WRONLY | os.O_CREAT):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        return real_open(path, flags, mode)

    with files.locked(tmp_path / "held"):
        (tmp_path / "free").touch()
        monkeypatch.setattr(os, "open", closed)
        assert files.is_locked(tmp_path / "held")
        assert not files.is_locked(tmp_path / "free")
        with pytest.raises(OSError, match="Read-only"), files.locked(tmp_path / "new"):
            pass
