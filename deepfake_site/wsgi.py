"""What a server serves: gunicorn names this module, runserver imports it in the one process that answers requests.

So here, and nowhere else, the worker is started: management commands and tests never import it.
"""

from __future__ import annotations

import os
from threading import Thread

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "deepfake_site.settings")
application = get_wsgi_application()

# What follows needs the applications that the line above loads.
from django.conf import settings  # noqa: E402
from django.core.exceptions import ImproperlyConfigured  # noqa: E402
from django.urls import get_resolver  # noqa: E402

from detection.jobs import supervisor  # noqa: E402
from detection.records import query  # noqa: E402
from detection.web import housekeeping  # noqa: E402
from detection.web.access.exposure import Exposed, refuse_if_exposed  # noqa: E402

try:
    refuse_if_exposed()  # by the names it answers to; runserver and gunicorn.conf.py look at the address as well
except Exposed as reason:
    raise ImproperlyConfigured(str(reason)) from None

get_resolver().url_patterns  # noqa: B018 every page's module, now and not while the first visitors wait
supervisor.start()
housekeeping.start()
# The first look at a long history reads all of its log: better now than when somebody waits for the page.
Thread(target=query.history(settings.MEDIA_ROOT).statistics, name="read-history", daemon=True).start()
