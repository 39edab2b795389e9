"""Sixty hostile files, in a process of their own: it forks, which a process with open networks must not."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.jobs.server import ROOT

CASES = 60


@pytest.mark.timeout(1800)  # it takes half a minute, and much longer beside other work
def test_hostile_files_end_in_a_verdict_or_a_named_reason() -> None:
    command = [sys.executable, "-m", "tests.hostile.fuzz", "--seed", "1", "--cases", str(CASES), "--quick"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"seed 1, {CASES} cases" in done.stdout
    assert "faults: 0" in done.stdout
