"""gunicorn reads this file in the folder that it is started in: how the site is served, and when it is not.

The command line has the last word: `gunicorn deepfake_site.wsgi -b unix:/run/facecheck/web.sock --threads 16`.
"""

from __future__ import annotations

import os
from typing import Any

from detection import logs

bind = "127.0.0.1:8000"
worker_class = "gthread"  # uploads and previews are long answers: a thread each
workers = min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, 4)
threads = 128  # a hundred uploads at once must leave some for those who look at pages
keepalive = 15  # longer than a page waits before it asks again how far its run is
timeout = 120
graceful_timeout = 30
forwarded_allow_ips = "127.0.0.1,::1"
if os.environ.get("DEEPFAKE_LOG_FORMAT") == "json":  # its own lines as the site's are
    logconfig_dict = logs.configuration("json", os.environ.get("DEEPFAKE_LOG_LEVEL", "INFO"))


def on_starting(server: Any) -> None:
    """Refuse an address that other machines can reach, unless there is a passphrase."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "deepfake_site.settings")
    import django

    django.setup()
    from detection.web.access.exposure import Exposed, refuse_if_exposed

    addresses = [each[0] if isinstance(each, tuple) else f"unix:{each}" for each in server.cfg.address]
    try:
        refuse_if_exposed(addresses)
    except Exposed as reason:
        raise SystemExit(f"The site is not started. {reason}") from None
