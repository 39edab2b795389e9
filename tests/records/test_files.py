from __future__ import annotations

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
