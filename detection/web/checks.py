"""`manage.py check` says when the pages would look broken, and how to mend it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.checks import CheckMessage, Error, Warning

from detection.web.access import passphrase
from detection.web.access.exposure import Exposed, refuse_if_exposed

VENDOR_FILES = (
    "vendor/bootstrap/dist/css/bootstrap.min.css",
    "vendor/tus-js-client/dist/tus.min.js",
    "vendor/uplot/dist/uPlot.esm.js",
)


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


def others_need_a_passphrase(**kwargs: Any) -> list[CheckMessage]:
    given = settings.DEEPFAKE_PASSPHRASE_HASH
    if given and not passphrase.is_hash(given):
        hint = "Set it to what `manage.py passphrase` prints, whole and as it is."
        return [Error("DEEPFAKE_PASSPHRASE_HASH is not a hash of a passphrase.", hint=hint, id="web.E003")]
    try:
        refuse_if_exposed()
    except Exposed as reason:
        return [Error(str(reason), id="web.E002")]
    return []
