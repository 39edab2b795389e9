"""The settings of a server under test: the doubles are registered, and only a page to see that it serves."""

from __future__ import annotations

import os
import sys

from deepfake_site.settings import *  # noqa: F403
from tests.jobs import doubles

doubles.register()

ROOT_URLCONF = "tests.jobs.urls"
DEEPFAKE_MAX_MEMORY_MB = int(os.environ.get("TEST_MAX_MEMORY_MB", "4096"))
DEEPFAKE_RUN_TIMEOUT_S = float(os.environ.get("TEST_RUN_TIMEOUT_S", "600"))

if "TEST_CRASH_WHILE_READING" in os.environ:
    doubles.crash_while_reading(os.environ["TEST_CRASH_WHILE_READING"])

if "TEST_RELOADED" in os.environ:  # a folder with a module that the test changes, so that the server reloads
    sys.path.append(os.environ["TEST_RELOADED"])
    import reloaded  # noqa: F401
