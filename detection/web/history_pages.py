"""Every finished run."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Any, get_args

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from detection import jobs
from detection.modules import MODULES
from detection.records import query
from detection.records.query import Filter
from detection.records.schema import RunState, Verdict
from detection.web.module_pages import module_page
from detection.web.trash_pages import undo_offer
from detection.web.words import STATES, VERDICTS

ROWS_PER_PAGE = 25


class FilterForm(forms.Form):
    """What is asked of the history; used by the page and by the API."""

    q = forms.CharField(label=_("Name, SHA-256 or run"), required=False, max_length=200)
    module = forms.ChoiceField(label=_("Module"), required=False)
    verdict = forms.ChoiceField(label=_("Verdict"), required=False)
    state = forms.ChoiceField(label=_("State"), required=False)
    page = forms.IntegerField(required=False, min_value=1)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        final = [state for state in RunState if state.is_final]
        self._choose("module", [(key, module_page(key).title) for key in MODULES])
        self._choose("verdict", [(verdict, VERDICTS[verdict].label) for verdict in get_args(Verdict)])
        self._choose("state", [(state.value, STATES[state]) for state in final])
        self.fields["q"].widget.attrs["class"] = "form-control"
        self.fields["q"].widget.attrs["type"] = "search"

    def _choose(self, name: str, choices: list[tuple[Any, Any]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", _("all")), *choices]
        field.widget.attrs["class"] = "form-select"

    def filter(self) -> Filter:
        """Only of a valid form."""
        given = self.cleaned_data
        return Filter(
            module=given["module"] or None,
            verdict=given["verdict"] or None,
            state=RunState(given["state"]) if given["state"] else None,
            text=given["q"] or None,
        )

    @property
    def page_number(self) -> int:
        return self.cleaned_data["page"] or 1

    @property
    def is_narrow(self) -> bool:
        return any(self.cleaned_data.get(name) for name in ("q", "module", "verdict", "state"))


@dataclass(frozen=True)
class Pages:
    """Where in the history the page is; numbers count from 1."""

    number: int
    count: int

    @property
    def previous(self) -> int | None:
        return self.number - 1 if self.number > 1 else None

    @property
    def next(self) -> int | None:
        return self.number + 1 if self.number < self.count else None


@require_safe
def history(request: HttpRequest) -> HttpResponse:
    form = FilterForm(request.GET)
    if not form.is_valid():
        return render(request, "history.html", {"section": "history", "form": form}, status=400)
    offset = (form.page_number - 1) * ROWS_PER_PAGE
    found = query.history(settings.MEDIA_ROOT).page(form.filter(), offset=offset, limit=ROWS_PER_PAGE)
    context = {
        "section": "history",
        "form": form,
        "found": found,
        "pages": Pages(form.page_number, max(1, ceil(found.total / ROWS_PER_PAGE))),
        "active": [] if form.is_narrow or offset else jobs.active(),
        "failed": query.history(settings.MEDIA_ROOT).statistics().states.get(RunState.FAILED, 0),
        "undo": undo_offer(request),
        "keep_days": settings.DEEPFAKE_KEEP_DAYS,
        "problems": query.history(settings.MEDIA_ROOT).problems(),
    }
    return render(request, "history.html", context)
