"""What is asked of the history: the same for its page and the JSON interface."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any, cast, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from detection.modules import MODULES
from detection.records.orders import SORTS, By, Order
from detection.records.query import Filter
from detection.records.schema import RunState, Verdict
from detection.web.module_pages import module_page
from detection.web.words import STATES, VERDICTS

NEWEST_FIRST = "-date"
MORE = ("since", "until", "min_percent", "max_percent")  # filters that the page folds away until they are used


class SearchInput(forms.TextInput):
    """The field that "/" leads to."""

    input_type = "search"

    def __init__(self) -> None:
        super().__init__({"class": "form-control", "aria-keyshortcuts": "/"})


class FilterForm(forms.Form):
    """Filters, order and page. Days are those of `zone`, the reader's, and both are included."""

    q = forms.CharField(label=_("Name, SHA-256 or run"), required=False, max_length=200, widget=SearchInput)
    module = forms.ChoiceField(label=_("Module"), required=False)
    verdict = forms.ChoiceField(label=_("Verdict"), required=False)
    state = forms.ChoiceField(label=_("State"), required=False)
    since = forms.DateField(label=_("From the day"), required=False)
    until = forms.DateField(label=_("To the day"), required=False)
    min_percent = forms.IntegerField(label=_("Score from (%)"), required=False, min_value=0, max_value=100)
    max_percent = forms.IntegerField(label=_("Score to (%)"), required=False, min_value=0, max_value=100)
    zone = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)
    sort = forms.ChoiceField(required=False, choices=[(each, each) for each in ["", *SORTS]], widget=forms.HiddenInput)
    page = forms.IntegerField(required=False, min_value=1)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        final = [state for state in RunState if state.is_final]
        self._choose("module", [(key, module_page(key).title) for key in MODULES])
        self._choose("verdict", [(verdict, VERDICTS[verdict].label) for verdict in get_args(Verdict)])
        self._choose("state", [(state.value, STATES[state]) for state in final])
        for name in MORE:
            self.fields[name].widget.attrs["class"] = "form-control"
        for name in ("since", "until"):
            self.fields[name].widget = forms.DateInput(
                format="%Y-%m-%d", attrs={"type": "date", "class": "form-control"}
            )

    def _choose(self, name: str, choices: Iterable[tuple[Any, Any]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", _("all")), *choices]
        field.widget.attrs["class"] = "form-select"

    def clean_zone(self) -> ZoneInfo:
        """The zone of that name; without one the site's."""
        name = self.cleaned_data["zone"] or settings.TIME_ZONE
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValidationError(_("“%s” is no time zone.") % name) from None

    def filter(self) -> Filter:
        """Only of a valid form. Scores are compared as the pages show them: rounded to whole per cents."""
        given = self.cleaned_data
        low, high, until = given["min_percent"], given["max_percent"], given["until"]
        return Filter(
            module=given["module"] or None,
            verdict=given["verdict"] or None,
            state=RunState(given["state"]) if given["state"] else None,
            text=given["q"] or None,
            since=self._midnight(given["since"]),
            until=self._midnight(until + timedelta(days=1) if until and until < date.max else None),
            score_from=None if low is None else (low - 0.5) / 100,
            score_below=None if high is None else (high + 0.5) / 100,
        )

    def order(self) -> Order:
        """Only of a valid form."""
        by = cast("By", self.sorted_by.removeprefix("-"))
        return Order(
            by, self.sorted_by.startswith("-"), (self.cleaned_data["module"] or None) if by == "score" else None
        )

    def _midnight(self, day: date | None) -> datetime | None:
        return datetime.combine(day, time(), self.cleaned_data["zone"]) if day else None

    @property
    def sorted_by(self) -> str:
        """By what the rows are sorted, with a minus when the highest comes first."""
        return self.cleaned_data.get("sort") or NEWEST_FIRST

    @property
    def page_number(self) -> int:
        return self.cleaned_data["page"] or 1

    @property
    def is_narrow(self) -> bool:
        return self.uses_more or any(self.cleaned_data.get(name) for name in ("q", "module", "verdict", "state"))

    @property
    def uses_more(self) -> bool:
        return any(self.cleaned_data.get(name) is not None for name in MORE)
