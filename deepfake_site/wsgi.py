"""What a server serves: gunicorn names this module, runserver imports it in the one process that answers requests.

So here, and nowhere else, the worker is started: management commands and tests never import it.
"""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "deepfake_site.settings")
application = get_wsgi_application()

from detection.jobs import supervisor  # noqa: E402 needs the applications that the line above loads

supervisor.start()
