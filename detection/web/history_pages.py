"""Every finished run."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from detection import jobs
from detection.records import query
from detection.records.schema import RunState
from detection.web.history_filter import MORE, FilterForm
from detection.web.namesakes import namesakes
from detection.web.paging import Pages, last_page
from detection.web.trash_pages import undo_offer

ROWS_PER_PAGE = 25


@require_safe
def history(request: HttpRequest) -> HttpResponse:
    form = FilterForm(request.GET)
    context: dict[str, Any] = {"section": "history", "form": form, "more": [form[name] for name in MORE]}
    if not form.is_valid():
        return render(request, "history.html", context, status=400)
    offset = (form.page_number - 1) * ROWS_PER_PAGE
    runs = query.history(settings.MEDIA_ROOT)
    found = runs.page(form.filter(), order=form.order(), offset=offset, limit=ROWS_PER_PAGE)
    pages = Pages(form.page_number, found.total, ROWS_PER_PAGE)
    if pages.is_beyond:
        return redirect(last_page(request, pages))
    active = [] if form.is_narrow or offset else jobs.active()
    context |= {
        "module": form.cleaned_data["module"],
        "found": found,
        "pages": pages,
        "active": active,
        "namesakes": namesakes([*active, *found.rows]),
        "failed": runs.statistics().states.get(RunState.FAILED, 0),
        "problems": runs.problems(),
        "undo": undo_offer(request),
        "keep_days": settings.DEEPFAKE_KEEP_DAYS,
    }
    return render(request, "history.html", context)
