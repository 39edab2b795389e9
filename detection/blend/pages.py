"""How the site presents the Blend module."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from detection.web.module_pages import ModulePage

PAGE = ModulePage(
    key="blend",
    title=_("Blend"),
    subject=_("seams and light"),
    looks_at=_("Looks for seams around the face, and asks whether the light on it fits the scene."),
    shows=_("The boundary, the direction of the light over time, and the face under another light."),
    limits=_("Flat or quickly changing light says little about a forgery."),
    how=_(
        "A second network draws the line along which two pictures were joined; its length and strength make the score. "
        "The direction of the light on the face is measured over time and shown beside it, and does not count."
    ),
)
