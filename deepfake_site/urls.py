"""All addresses: those that the modules share, then each module's own."""

from __future__ import annotations

from django.urls import include, path

from detection.modules import MODULES

urlpatterns = [
    path("", include("detection.web.urls")),
    *(path("", include(f"detection.{key}.urls")) for key in MODULES),
]

handler400 = "detection.web.errors.bad_request"
handler403 = "detection.web.errors.permission_denied"
handler404 = "detection.web.errors.not_found"
handler500 = "detection.web.errors.server_error"
