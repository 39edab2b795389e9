"""The site's own settings, and a way to end its processes at a file operation of one's choice, or to set
their clock (`tests.chaos.death`, `tests.chaos.clock`)."""

from __future__ import annotations

import os
from pathlib import Path

from tests.chaos import clock, death

clock.install(Path(os.environ["DEEPFAKE_MEDIA"]))

from deepfake_site.settings import *  # noqa: E402, F403

INSTALLED_APPS = [*INSTALLED_APPS, "tests.chaos.apps.ChaosConfig"]  # noqa: F405
death.install(MEDIA_ROOT)  # noqa: F405
