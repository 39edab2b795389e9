"""The state of this installation, as a page for a person shows it."""

from __future__ import annotations

import os
import platform
import shutil
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from detection import jobs
from detection.inference import weights
from detection.jobs import health, presence
from detection.records import times, totals
from detection.records.schema import RunRecord, RunState
from detection.web import quota
from detection.web.templatetags.deepfake import duration

LIBRARIES = ("django", "onnxruntime", "onnxruntime-gpu", "av", "opencv-python-headless", "numpy")

Text = Promise | str


@dataclass(frozen=True)
class CheckWords:
    """A check's name, and what is so when it is in order; what is wrong it says itself."""

    name: Text
    in_order: Text


CHECKS: dict[str, CheckWords] = {
    "media": CheckWords(_("Media folder"), _("It can be written.")),
    "disk": CheckWords(_("Disk space"), _("There is enough.")),
    "weights": CheckWords(_("Networks"), _("All files are there, with the hashes of the manifest.")),
    "queue": CheckWords(_("Queue"), _("It can be reached.")),
    "worker": CheckWords(_("Worker"), _("One lives and works off the queue.")),
}


@dataclass(frozen=True)
class CheckRow:
    words: CheckWords
    fault: str | None


@cache
def versions() -> dict[str, str]:
    """The program, Python and the libraries that matter, without loading them."""
    project = tomllib.loads((Path(settings.BASE_DIR) / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found = {"program": str(project["version"]), "python": platform.python_version()}
    for library in LIBRARIES:
        try:
            found[library.replace("-", "_")] = version(library)
        except PackageNotFoundError:
            continue
    return found


def context() -> dict[str, Any]:
    """For the template."""
    checks = [CheckRow(CHECKS[check.name], check.fault) for check in health.checks()]
    queue = jobs.queue_state()
    return {
        "now": times.now(),
        "checks": checks,
        "is_well": not any(check.fault for check in checks),
        "workers": presence.living(jobs.media_root()),
        "queue": queue,
        "running": running(),
        "counted": totals.load(jobs.media_root()),
        "disk": _disk(),
        "device": settings.DEEPFAKE_DEVICE,
        "threads": settings.DEEPFAKE_THREADS,
        "cores": os.cpu_count(),
        "versions": versions(),
        "networks": [entry for entry in weights.manifest().values() if entry.file.endswith(".onnx")],
        "limits": limits(),
    }


def running() -> list[RunRecord]:
    return [run for run in jobs.active() if run.state is RunState.RUNNING]


def limits() -> list[tuple[str, Text, str]]:
    """Variable, what it limits, and to what; empty where there is no limit."""
    limited = [
        ("DEEPFAKE_MAX_UPLOAD_MB", _("Largest upload"), settings.DEEPFAKE_MAX_UPLOAD_MB, "MB"),
        ("DEEPFAKE_MAX_DURATION_S", _("Longest video"), settings.DEEPFAKE_MAX_DURATION_S, "s"),
        ("DEEPFAKE_RUN_TIMEOUT_S", _("Longest analysis"), settings.DEEPFAKE_RUN_TIMEOUT_S, "s"),
        ("DEEPFAKE_MAX_MEMORY_MB", _("Memory of one analysis"), settings.DEEPFAKE_MAX_MEMORY_MB, "MB"),
        ("DEEPFAKE_MIN_FREE_MB", _("Kept free on the disk"), settings.DEEPFAKE_MIN_FREE_MB, "MB"),
        ("DEEPFAKE_QUOTA_MB", _("All uploads together"), settings.DEEPFAKE_QUOTA_MB, "MB"),
        ("DEEPFAKE_QUOTA_MB_PER_DAY", _("Uploads in 24 hours"), settings.DEEPFAKE_QUOTA_MB_PER_DAY, "MB"),
    ]
    return [
        (variable, what, (duration(value) if unit == "s" else f"{value} {unit}") if value else "")
        for variable, what, value, unit in limited
    ]


def _disk() -> dict[str, int | str]:
    root = jobs.media_root()
    usage = shutil.disk_usage(root)
    kept, of_today = quota.used_bytes(root)
    used_percent = 100 * (usage.total - usage.free) / usage.total
    return {
        "folder": str(root),
        "free": usage.free,
        "size": usage.total,
        "uploads": kept,
        "today": of_today,
        "used_percent": f"{used_percent:.1f}",
    }
