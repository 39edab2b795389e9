"""`/analysis/`: the history in figures, of one module or all, of some days or all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, get_args

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from detection.modules import MODULES
from detection.records import query
from detection.records.schema import Reason, Verdict
from detection.records.statistics import SCORE_BINS, Counts, Statistics
from detection.web.module_pages import module_page
from detection.web.words import REASONS, STATES, VERDICTS

PERIODS_DAYS = (7, 30, 90)
MOST_BARS = 92  # beyond so many days a bar is a week, beyond so many weeks a month
ERRORS_SHOWN = 8


class PeriodForm(forms.Form):
    """What is asked of the statistics; the days are UTC, as in the log."""

    module = forms.ChoiceField(label=gettext_lazy("Module"), required=False)
    since = forms.DateField(label=gettext_lazy("From day"), required=False)
    until = forms.DateField(label=gettext_lazy("To day"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        module = self.fields["module"]
        assert isinstance(module, forms.ChoiceField)
        module.choices = [("", _("all")), *((key, module_page(key).title) for key in MODULES)]
        module.widget.attrs["class"] = "form-select"
        for name in ("since", "until"):
            self.fields[name].widget = forms.DateInput({"class": "form-control", "type": "date"}, format="%Y-%m-%d")


@dataclass(frozen=True)
class Bar:
    """A day, a week or a month: `label` names it, `verdicts` counts as VERDICTS are ordered."""

    label: str
    verdicts: tuple[int, ...]


@dataclass(frozen=True)
class Source:
    """The runs as a whole, or one module."""

    title: str
    counts: Counts

    @property
    def verdicts(self) -> tuple[int, ...]:
        return tuple(self.counts.verdicts.get(verdict, 0) for verdict in get_args(Verdict))


@require_http_methods(["GET", "HEAD", "POST"])
def analysis(request: HttpRequest) -> HttpResponse:
    form = PeriodForm(request.GET)
    if not form.is_valid():
        return render(request, "analysis.html", {"section": "analysis", "form": form}, status=400)
    given = form.cleaned_data
    statistics = query.history(settings.MEDIA_ROOT).statistics(given["since"], given["until"])
    shown = statistics.modules.get(given["module"]) if given["module"] else statistics.total
    bars = list(_bars(shown.days)) if shown else []
    sources = list(_sources(statistics, given["module"]))
    context = {
        "section": "analysis",
        "form": form,
        "is_narrow": any(given.values()),
        "periods": list(_periods(given)),
        "statistics": statistics,
        "shown": shown,
        "is_empty": not (shown and shown.runs) and not (statistics.states and not given["module"]),
        "of_all": not given["module"],
        "verdicts": [(v, VERDICTS[v].label, shown.verdicts.get(v, 0) if shown else 0) for v in get_args(Verdict)],
        "bars": bars,
        "sources": sources,
        "by_score": [
            (100 * number // SCORE_BINS, [source.counts.scores[number] for source in sources])
            for number in range(SCORE_BINS)
        ],
        "reasons": list(_reasons(sources)),
        "states": [(STATES[state], count) for state, count in statistics.states.items()],
        "errors": list(statistics.errors.items())[:ERRORS_SHOWN],
        "chart": _chart(bars, sources),
    }
    return render(request, "analysis.html", context)


def _periods(given: dict[str, Any]) -> Iterator[tuple[str, str, bool]]:
    """Quick choices: words, the first day (empty is all), and whether it is the one that is shown."""
    today = datetime.now(UTC).date()
    for days in PERIODS_DAYS:
        since = today - timedelta(days - 1)
        yield _("Last %d days") % days, since.isoformat(), given["since"] == since and given["until"] is None
    yield _("All"), "", given["since"] is None and given["until"] is None


def _sources(statistics: Statistics, only: str) -> Iterator[Source]:
    """All runs and each module; with `only` that module."""
    if not only:
        yield Source(_("Verdict of the run"), statistics.total)
    for key in MODULES:
        if key in statistics.modules and only in ("", key):
            yield Source(str(module_page(key).title), statistics.modules[key])


def _reasons(sources: list[Source]) -> Iterator[tuple[Any, tuple[int, ...]]]:
    """Why there was no result, the most frequent reason first, with a count per source."""
    found = {reason for source in sources for reason in source.counts.reasons}

    def counts(reason: Reason) -> tuple[int, ...]:
        return tuple(source.counts.reasons.get(reason, 0) for source in sources)

    for reason in sorted(found, key=lambda reason: (-max(counts(reason)), reason)):
        yield REASONS[reason].title, counts(reason)


def _bars(days: dict[str, dict[Verdict, int]]) -> Iterator[Bar]:
    """From the first day that has a verdict to the last, gaps included; as many days to a bar as leave it legible."""
    if not days:
        return
    counted = {date.fromisoformat(day): verdicts for day, verdicts in days.items()}
    first, last = min(counted), max(counted)
    span = (last - first).days + 1
    name = _by_day if span <= MOST_BARS else _by_week if span <= 7 * MOST_BARS else _by_month
    sums = {name(first + timedelta(number)): [0] * len(get_args(Verdict)) for number in range(span)}
    for day, verdicts in counted.items():
        bar = sums[name(day)]
        for index, verdict in enumerate(get_args(Verdict)):
            bar[index] += verdicts.get(verdict, 0)
    for label, numbers in sums.items():
        yield Bar(label, tuple(numbers))


def _by_day(day: date) -> str:
    return day.isoformat()


def _by_week(day: date) -> str:
    """The Monday of the week."""
    return (day - timedelta(day.weekday())).isoformat() + " …"


def _by_month(day: date) -> str:
    return f"{day:%Y-%m}"


def _chart(bars: list[Bar], sources: list[Source]) -> dict[str, Any]:
    """The same numbers for the page's script."""
    return {
        "labels": [bar.label for bar in bars],
        "verdicts": [
            {"key": verdict, "label": str(VERDICTS[verdict].label), "counts": [bar.verdicts[index] for bar in bars]}
            for index, verdict in enumerate(get_args(Verdict))
        ],
        "scores": [source.counts.scores for source in sources],
    }
