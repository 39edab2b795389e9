"""Two results side by side: choosing them, and the page that shows both."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from detection.records import query
from detection.records.query import Filter
from detection.records.schema import RunRecord, RunState
from detection.web import comparison
from detection.web.comparison import Side
from detection.web.run_pages import get_run, has_file

RUNS_OFFERED = 50
MAX_QUESTION = 200  # letters


@require_safe
def compare(request: HttpRequest) -> HttpResponse:
    """`a` and `b` are runs; with one of them, or none, the page offers finished runs to choose from."""
    chosen = [_finished(run_id) for key in ("a", "b") if (run_id := request.GET.get(key))]
    if len(chosen) < 2:
        return render(request, "compare_choose.html", _choice(request, chosen[0] if chosen else None))
    return render(request, "compare.html", {"section": "history", **_context(*chosen)})


def _finished(run_id: str) -> RunRecord:
    run = get_run(run_id)
    if run.analysis is None:
        raise Http404(_("This run has no result, so it cannot be compared."))
    return run


def _choice(request: HttpRequest, first: RunRecord | None) -> dict[str, Any]:
    """The runs to choose from: those of the same file first, for it is they that are compared most."""
    history = query.history(settings.MEDIA_ROOT)
    asked = request.GET.get("q", "").strip()[:MAX_QUESTION]
    found = history.page(Filter(state=RunState.DONE, text=asked or None), limit=RUNS_OFFERED).rows
    same = history.page(Filter(state=RunState.DONE, text=first.sha256), limit=RUNS_OFFERED).rows if first else []
    ids = {row.id for row in same} | ({first.id} if first else set())
    return {
        "section": "history",
        "first": first,
        "asked": asked,
        "same": [row for row in same if first and row.id != first.id],
        "others": [row for row in found if row.id not in ids],
    }


def _context(run_a: RunRecord, run_b: RunRecord) -> dict[str, Any]:
    assert run_a.analysis is not None
    assert run_b.analysis is not None
    a = Side("a", run_a, run_a.analysis, has_file(run_a))
    b = Side("b", run_b, run_b.analysis, has_file(run_b))
    return {
        "sides": [a, b],
        "same_file": run_a.sha256 == run_b.sha256,
        "change": comparison.points(a.analysis.score, b.analysis.score),
        "modules": comparison.module_rows(a.analysis, b.analysis),
        "groups": comparison.fact_groups(a, b),
        "charts": list(comparison.charts(a, b)),
        "data": comparison.timeline_data(a, b),
    }
