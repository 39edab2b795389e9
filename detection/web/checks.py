"""`manage.py check` says when the pages would look broken, and how to mend it."""

from __future__ import annotations

from typing import Any

from django.contrib.staticfiles import finders
from django.core.checks import CheckMessage, Warning

VENDOR_FILES = ("vendor/bootstrap/dist/css/bootstrap.min.css", "vendor/uplot/dist/uPlot.esm.js")


def vendor_files_are_there(**kwargs: Any) -> list[CheckMessage]:
    missing = [name for name in VENDOR_FILES if finders.find(name) is None]
    if not missing:
        return []
    return [
        Warning(
            f"The pages' libraries are missing: {', '.join(missing)}.",
            hint="Run `python tools/frontend.py` (it needs npm or PyPI once).",
            id="web.W001",
        )
    ]
