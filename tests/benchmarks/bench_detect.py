"""Speed and peak memory of `manage.py detect` on 720p video, in one run: `python -m tests.benchmarks.bench_detect`.

Prints Markdown tables and writes the same as JSON. Exit status 1 when a long clip takes more than MEMORY_LIMIT × the
memory of a short one. Nothing but the standard library is imported here: what a process holds before it starts another
counts as that one's peak memory, too.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
MODULES = ("space", "feature", "blend")
MEMORY_LIMIT = 1.2
REPEATS = 3


@dataclass(frozen=True)
class Run:
    """One `manage.py detect` of a clip twice: each analysis, and how long a person waits for the first."""

    first_s: float
    next_s: float
    command_s: float
    peak_mb: float


@dataclass(frozen=True)
class ClipResult:
    """Medians over the repeats, of memory the most. `pass_s`: Space's network once over the `faces` that it may judge.

    `sampled`: the faces in all sampled frames. `first_s`, `next_s`: the analysis in a process that has done none yet,
    and in one that has, as the site's worker; `command_s`: the whole command.
    """

    clip: str
    length_s: float
    faces: int
    sampled: int
    decode_s: float
    pass_s: float
    first_s: float
    next_s: float
    command_s: float
    peak_mb: float

    def over_floor(self, faces: int) -> float:
        """The analysis over decoding alone and one pass of the network for each of so many faces."""
        return self.next_s / (self.decode_s + self.pass_s * faces / self.faces)


def child(*job: str) -> dict[str, Any]:
    """The result of one job of children.py. A job that fails ends the benchmark with its message."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.children", *job],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def detect(clip: str) -> Run:
    """`manage.py detect` in a fresh process, all modules, keeping nothing, the same clip twice."""
    command = [sys.executable, "manage.py", "detect", "--no-record", "--json", clip, clip]
    began = time.perf_counter()
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    command_s = time.perf_counter() - began
    if process.returncode not in (0, 2):  # 2: a module gives no result here
        raise SystemExit(f"{' '.join(command)} ended with status {process.returncode}")
    first_s, next_s = (json.loads(line)["seconds"] for line in output.splitlines())
    return Run(first_s, next_s, command_s - next_s, usage.ru_maxrss / 1024)


def measure_clip(clip: str, repeats: int) -> ClipResult:
    decoded = [child("decode", clip) for _ in range(repeats)]
    runs = [detect(clip) for _ in range(repeats)]
    passed = child("passes", clip, "auto")
    return ClipResult(
        clip=Path(clip).name,
        length_s=decoded[0]["frames"] / 30,
        faces=passed["faces"],
        sampled=passed["sampled"],
        decode_s=statistics.median(d["seconds"] for d in decoded),
        pass_s=passed["seconds"],
        first_s=statistics.median(r.first_s for r in runs),
        next_s=statistics.median(r.next_s for r in runs),
        command_s=statistics.median(r.command_s for r in runs),
        peak_mb=max(r.peak_mb for r in runs),
    )


def machine() -> dict[str, Any]:
    """What the figures depend on, read from the machine."""
    names = [line.split(":", 1)[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    memory_kib = next((int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0)
    return {
        "processor": names[0] if names else platform.processor() or platform.machine(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gb": round(memory_kib / 1024**2, 1),
        "gpu": _gpu(),
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 2),
    }


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []


def _gpu() -> str | None:
    try:
        names = subprocess.run(
            ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return names.stdout.strip() or None


def clip_table(results: list[ClipResult]) -> str:
    rows = [
        "| clip | decoding alone | one network pass | `detect`: first clip, with start-up | … its analysis | "
        "analysis of the next | work per second of video | × real time | ÷ (decoding + pass per sampled face) | "
        "÷ (… per judged face) | peak memory |",
        "| --- | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: |",
    ]
    for r in results:
        passed = f"{r.pass_s / r.faces * 1000:.1f} ms a face ({r.sampled} sampled, {r.faces} judged)"
        rows.append(
            f"| {r.length_s:.0f} s | {r.decode_s:.2f} s | {passed} | {r.command_s:.2f} s | {r.first_s:.2f} s | "
            f"{r.next_s:.2f} s | {r.next_s / r.length_s:.3f} s | {r.length_s / r.next_s:.1f} | "
            f"{r.over_floor(r.sampled):.2f} | {r.over_floor(r.faces):.2f} | {r.peak_mb:.0f} MB |"
        )
    return "\n".join(rows)


def module_table(found: dict[tuple[str, str], dict[str, Any]]) -> str:
    rows = ["| module | device | faces per second |", "| --- | --- | --: |"]
    for (key, device), result in found.items():
        said = result.get("unavailable") or f"{result['faces'] / result['seconds']:.1f}"
        rows.append(f"| {key} | {device} | {said} |")
    return "\n".join(rows)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, default=ROOT / "build" / "bench_detect.json", metavar="PATH")
    parser.add_argument("--repeats", type=int, default=REPEATS)
    options = parser.parse_args()
    here = machine()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        made = child("clips", folder)
        results = [measure_clip(clip, options.repeats) for clip in made["clips"]]
        devices = ("cpu", "cuda") if here["gpu"] else ("cpu",)
        modules = {
            (key, device): child("module", key, device, made["clips"][0]) for key in MODULES for device in devices
        }

    video, libraries = made["video"], made["libraries"]
    mbit = video["size_bytes"] * 8 / video["duration_s"] / 1e6
    print(
        f"Machine: {here['processor']}, {here['cores']} cores, {here['memory_gb']} GB, GPU {here['gpu'] or 'none'}; "
        f"{here['system']}, Python {here['python']}, {', '.join(f'{k} {v}' for k, v in libraries.items())}; "
        f"load {here['load_before']} before the start."
    )
    print(
        f"Clips: {video['width']}×{video['height']}, {video['frame_rate']:.0f} frames/s, {video['codec']}, "
        f"{mbit:.1f} Mbit/s, two people; median of {options.repeats}.\n"
    )
    print(clip_table(results), module_table(modules), sep="\n\n")
    ratio = results[-1].peak_mb / results[0].peak_mb
    kept = ratio <= MEMORY_LIMIT
    print(
        f"\nPeak memory of {results[-1].length_s:.0f} s over {results[0].length_s:.0f} s: {ratio:.2f} "
        f"(limit {MEMORY_LIMIT}): {'kept' if kept else 'EXCEEDED'}"
    )
    options.json.parent.mkdir(parents=True, exist_ok=True)
    whole = {
        "machine": here | {"libraries": libraries},
        "video": video,
        "clips": [asdict(r) for r in results],
        "modules": [{"module": key, "device": device, **result} for (key, device), result in modules.items()],
        "memory_ratio": ratio,
    }
    options.json.write_text(json.dumps(whole, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
