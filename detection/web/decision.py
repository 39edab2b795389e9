"""Whose verdict a video's is, where there are several people, in words."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from detection.fusion import deciding_person, seen_often_enough
from detection.records.schema import Analysis


@dataclass(frozen=True)
class Decision:
    """`text` names the person who decides; `about_thresholds` is said where not everybody has that person's."""

    text: str
    about_thresholds: str | None


def decision(analysis: Analysis) -> Decision | None:
    """None of a video with one person, or without a score."""
    decides = deciding_person(analysis)
    if decides is None or len(analysis.people) < 2:
        return None
    counted, said = len(seen_often_enough(analysis.people)), {"id": decides.id, "count": len(analysis.people)}
    if counted == len(analysis.people):
        text = _("The verdict is that of person %(id)s, the most suspicious of %(count)s people.") % said
    else:
        text = ngettext(
            "The verdict is that of person %(id)s. Of %(count)s people, %(counted)s was seen often enough to decide.",
            "The verdict is that of person %(id)s. Of %(count)s people, %(counted)s were seen often enough to decide.",
            counted,
        ) % (said | {"counted": counted})
    if counted > 1 and analysis.verdict != "real":
        text += " " + _("The more people, the likelier it is that one of them scores high by chance.")
    return Decision(text, _about_thresholds(analysis, decides.id))


def _about_thresholds(analysis: Analysis, person: int) -> str | None:
    others = (each.thresholds or analysis.thresholds for each in analysis.people if each.score is not None)
    if all(limits == analysis.thresholds for limits in others):
        return None
    return _("These are the thresholds of person %s; somebody who was judged by fewer modules has others.") % person
