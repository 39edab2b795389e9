"""What the help page says beyond what other pages say already."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = Promise | str

READING: tuple[Text, ...] = (
    _(
        "The score is the estimated probability that a face in the video is forged: 0 % is genuine, 100 % is forged. "
        "Two thresholds divide it into three verdicts; both are printed with every result."
    ),
    _(
        "The score of a video is that of its most suspicious person among those seen often enough. Somebody else in "
        "the same video may be genuine: look at the card of each person."
    ),
    _(
        "Where modules differ, their scores are shown side by side. A single module that objects is a reason to look, "
        "and not a verdict."
    ),
)

UNCERTAIN: tuple[Text, ...] = (
    _(
        "“Uncertain” means that genuine and forged videos both get such scores, so that either word would often be "
        "wrong. The thresholds were set on clips of one person each, so that at most about 3 in 100 genuine ones are "
        "called forged; the price is that many forgeries end as uncertain. In a video of many people it happens more "
        "often that a genuine one is called forged, because the most suspicious decides."
    ),
    _(
        "What helps: the original file instead of a copy from a messenger, a longer stretch, a larger face. What does "
        "not help: reading 55 % as “rather forged”."
    ),
)

WEAKNESSES: tuple[Text, ...] = (
    _(
        "Wholly generated portraits (diffusion, portrait animation) look more genuine to Space and Blend than genuine "
        "video: both look for borders, and there are none. Feature sees many of them."
    ),
    _("Careful swaps in large, sharp pictures mostly end as uncertain."),
    _(
        "A microphone across the cheek, a hand before the mouth, coloured light and the smoothing of phone cameras "
        "raise the score of genuine faces."
    ),
    _("Faces turned far to the side are judged by less evidence."),
)


@dataclass(frozen=True)
class Keys:
    """What some keys do, and where."""

    where: Text
    keys: tuple[tuple[tuple[str, ...], Text], ...]


KEYS: tuple[Keys, ...] = (
    Keys(
        _("Score over time, on a result"),
        (
            (("←", "→"), _("to the judged frame before or after")),
            (("Shift + ←", "Shift + →"), _("ten frames on")),
            (("Page Up", "Page Down"), _("to the moments with the highest scores")),
            (("Home", "End"), _("to the first and the last judged frame")),
        ),
    ),
    Keys(
        _("The history"),
        (
            (("/",), _("to the search")),
            (("↑", "↓"), _("from result to result; Enter opens it")),
            (("Space",), _("choose the result")),
            (("Delete",), _("move it into the trash")),
        ),
    ),
    Keys(_("An enlarged picture"), ((("←", "→"), _("the picture before or after")), (("Esc",), _("close")))),
    Keys(
        _("The ball that the light is chosen on"),
        (
            (("←", "→", "↑", "↓"), _("move the light")),
            (("Shift + ←", "Shift + →"), _("move it further at once")),
        ),
    ),
    Keys(
        _("Everywhere"),
        (
            (("Tab", "Shift + Tab"), _("to the next or the previous control")),
            (("Enter", "Space"), _("press it")),
        ),
    ),
)
