"""How far the modules agree, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from django.utils.translation import gettext as _

from detection.fusion import most_suspicious
from detection.records.schema import Analysis, ModuleOutcome
from detection.web import words
from detection.web.module_pages import module_page

Kind = Literal["alone", "agree", "undecided", "differ", "contradict"]


@dataclass(frozen=True)
class Agreement:
    """`text` is a sentence or two; `silent` names the modules that gave no score, each with its reason."""

    kind: Kind
    text: str
    silent: tuple[str, ...] = ()


def agreement(analysis: Analysis) -> Agreement | None:
    """None where no module gave a score: then there is nothing to compare."""
    judged = {key: outcome for key, outcome in analysis.modules.items() if outcome.score is not None}
    silent = tuple(_silence(key, outcome) for key, outcome in analysis.modules.items() if outcome.score is None)
    said = _(" · ").join(f"{_title(key)}: {words.VERDICTS[outcome.verdict].label}" for key, outcome in judged.items())
    verdicts = {outcome.verdict for outcome in judged.values()}
    if not judged:
        return None
    if len(judged) == 1:
        text = _("Only one module gave a score (%(said)s). Nothing confirms it, and nothing contradicts it.")
        return Agreement("alone", text % {"said": said}, silent)
    if verdicts == {"uncertain"}:
        text = _("No module can decide by itself (%(said)s). The verdict weighs them together.")
        return Agreement("undecided", text % {"said": said} + _about_people(judged), silent)
    if len(verdicts) == 1:
        text = _("The modules agree (%(said)s).")
        return Agreement("agree", text % {"said": said} + _about_people(judged), silent)
    if {"fake", "real"} <= verdicts:
        text = _(
            "The modules contradict each other (%(said)s). They look at different traces, and a method of forgery can "
            "leave one kind without the other: look at the evidence of both before you rely on the verdict."
        )
        return Agreement("contradict", text % {"said": said} + _about_people(judged), silent)
    text = _(
        "The modules differ (%(said)s). The verdict weighs them together and is no average: its score can lie above or "
        "below all of theirs."
    )
    return Agreement("differ", text % {"said": said} + _about_people(judged), silent)


def _about_people(judged: dict[str, ModuleOutcome]) -> str:
    """Said when the modules find different people the most suspicious."""
    most = {}
    for key, outcome in judged.items():
        scored = [person for person in outcome.people if person.score is not None]
        if len(scored) > 1 and (found := most_suspicious(scored)):
            most[key] = found.id
    if len(set(most.values())) < 2:
        return ""
    said = _(" · ").join(f"{_title(key)}: {_('Person %s') % person}" for key, person in most.items())
    return " " + _("They do not point at the same person (%(said)s).") % {"said": said}


def _silence(key: str, outcome: ModuleOutcome) -> str:
    why = words.REASONS[outcome.reason].title if outcome.reason else _("no reason was recorded")
    return f"{_title(key)}: {why}"


def _title(key: str) -> str:
    return str(module_page(key).title)
