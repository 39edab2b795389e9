"""How the site presents the Feature module."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from detection.web.module_pages import ModulePage

PAGE = ModulePage(
    key="feature",
    title=_("Feature"),
    subject=_("a face over time"),
    looks_at=_("Follows a face over time: identity, movement, blinking, mouth, and frequencies."),
    shows=_("Which features leave the range of genuine faces, and by how much."),
    limits=_("It needs a face that can be followed for some seconds."),
    how=_(
        "Each face is followed over time and measured: tremble of nose and outline, flicker of the skin, fine detail "
        "of mouth and eyes, blinks, drift of the identity. The measures are weighed together; the page shows each of "
        "them beside the range in which genuine faces lie."
    ),
)
