"""Running a foreign program: its output streamed, its whole process group ended when it is not wanted any more."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from relitalk.errors import Fault, RelightError

POLL_S = 0.2
GRACE_S = 5.0  # between asking a process group to end and ending it


def run_group(
    command: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    log: Path,
    line: Callable[[str], None],
    timeout_s: float,
    cancelled: Callable[[], bool],
) -> int | None:
    """Runs `command` in a process group of its own and gives its exit code, or None when `cancelled()` turned true.

    Every line of its output goes to `log` and to `line`. Raises RelightError on a timeout, and what `line` raises; the
    whole group has ended whenever this returns.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with (
        log.open("w", encoding="utf-8") as written,
        subprocess.Popen(
            list(command), cwd=cwd, env=dict(env), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            errors="replace", start_new_session=True,
        ) as process,
    ):  # fmt: skip
        lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        reader = threading.Thread(target=_read, args=(process, lines), daemon=True)
        reader.start()
        ends_at = time.monotonic() + timeout_s
        try:
            while True:
                try:
                    text = lines.get(timeout=POLL_S)
                except queue.Empty:
                    if process.poll() is not None:  # a child of its may hold the pipe open for ever
                        return process.returncode
                    text = ""
                if text is None:
                    return process.wait()
                if text:
                    written.write(text)
                    written.flush()
                    line(text)
                if cancelled():
                    return None
                if time.monotonic() > ends_at:
                    raise RelightError(
                        f"{command[0]} was ended after {timeout_s:.0f} s; its output is in {log}.",
                        Fault.CHECKOUT_FAILED,
                    )
        finally:
            _end(process)
            reader.join(timeout=GRACE_S)


def _read(process: subprocess.Popen[str], lines: queue.SimpleQueue[str | None]) -> None:
    assert process.stdout is not None
    for text in process.stdout:
        lines.put(text)
    lines.put(None)


def _end(process: subprocess.Popen[str]) -> None:
    """Ends the group: its children outlive a leader that has ended already."""
    for wanted in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, wanted)
        except ProcessLookupError:
            return
        try:
            process.wait(timeout=GRACE_S)
        except subprocess.TimeoutExpired:
            continue
