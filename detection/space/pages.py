"""How the site presents the Space module."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from detection.web.module_pages import ModulePage

PAGE = ModulePage(
    key="space",
    title=_("Space"),
    subject=_("single frames"),
    looks_at=_("Looks at single frames for traces of a face that was put in or changed."),
    shows=_("A probability for every face and frame, and the region that looks manipulated."),
    limits=_("A face that was generated as a whole has no seam to find; strong compression hides traces."),
    how=_(
        "A network looks at each face by itself, in the key frames first and in more of them where those leave the "
        "verdict open. It marks the part of the face that looks manipulated; the larger that part is on average, the "
        "higher the score. It was trained on genuine photographs and on forgeries made from them."
    ),
)
