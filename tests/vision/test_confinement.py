from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

from detection.vision.confinement import resident_mb

START = "from detection.vision.confinement import confine_memory, end_after\n"


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", START + code], capture_output=True, text=True, check=False)


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_DATA counts mapped memory on Linux alone")
def test_a_process_that_asks_for_too_much_gets_an_error_and_lives() -> None:
    done = run(
        "confine_memory(200)\n"
        "kept = bytearray(100 << 20)\n"
        "try:\n    bytearray(400 << 20)\n"
        "except MemoryError:\n    print('refused', len(kept))"
    )
    assert done.stdout.split() == ["refused", str(100 << 20)]


def test_the_kernel_ends_even_a_process_that_lets_no_other_thread_run() -> None:
    began = time.monotonic()
    done = run("import re\nend_after(0.5)\nre.fullmatch('(a|a)*b', 'a' * 60)")  # one call that holds the interpreter
    assert done.returncode == -signal.SIGALRM
    assert time.monotonic() - began < 60


def test_a_deadline_can_be_taken_back() -> None:
    assert run("import time\nend_after(0.2)\nend_after(0)\ntime.sleep(0.4)").returncode == 0


def test_memory_is_measured() -> None:
    before = resident_mb()
    kept = bytearray(b"x" * (64 << 20))
    assert resident_mb() - before > 50
    del kept
    assert resident_mb("no such process") == 0.0
