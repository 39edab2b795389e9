"""Addresses of the old system that are no page of this one: they answer with parts of its pages, or lead to them."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from detection import jobs
from detection.modules import MODULES
from detection.records.schema import RunRecord
from detection.records.store import BATCH_ID, RUN_ID
from detection.web.batch_pages import get_batch, row_context
from detection.web.batch_rows import rows_of
from detection.web.following import runs_progress
from detection.web.result import key_frames
from detection.web.run_pages import get_run, run_context


@require_POST
def update(request: HttpRequest, key: str) -> HttpResponse:
    """`rowData[]` names runs: their rows as HTML, with verdict, confidences and pictures."""
    runs = [_row(get_run(run_id), key) for run_id in _row_data(request)]
    if not runs:
        return _missing(request)
    return render(request, "parts/run_rows.html", {"runs": runs})


def _row(run: RunRecord, key: str) -> dict[str, Any]:
    """With the pictures of one module only: the row stands on its page."""
    outcome = run.analysis.modules.get(key) if run.analysis else None
    frames = key_frames(run, [outcome]) if outcome else []
    return {"run": run, "analysis": run.analysis, "outcome": outcome, "key_frames": frames}


@require_POST
def batch_update(request: HttpRequest, key: str) -> HttpResponse:
    """`rowData[]` is a row of the history: the whole result behind it as HTML. Of a batch its rows, as they are now."""
    for cell in request.POST.getlist("rowData[]"):
        if BATCH_ID.fullmatch(cell):
            return _batch_rows(request, cell)
    ids = _row_data(request)
    if not ids:
        return _missing(request)
    return render(request, "parts/result.html", run_context(get_run(ids[0])))


def _batch_rows(request: HttpRequest, batch_id: str) -> HttpResponse:
    batch = get_batch(batch_id)
    return render(request, "parts/batch_rows.html", {"rows": rows_of(batch), **row_context(batch)})


def _row_data(request: HttpRequest) -> list[str]:
    """The run ids among the cells of the row."""
    return [cell for cell in request.POST.getlist("rowData[]") if RUN_ID.fullmatch(cell)]


def _missing(request: HttpRequest) -> HttpResponse:
    return render(request, "parts/notice.html", {"text": _("rowData[] names no run.")}, status=400)


@require_safe
def history(request: HttpRequest, key: str) -> HttpResponse:
    return redirect(f"{reverse('history')}?{urlencode({'module': key})}")


@require_safe
def detection_progress(request: HttpRequest) -> JsonResponse:
    """How far the unfinished runs of one module (`detect_method`, by name or key) are, or of all."""
    method = request.GET.get("detect_method", "").lower()
    if method and method not in MODULES:
        fault = _("There is no module “%(name)s”; there are %(known)s.")
        return JsonResponse({"error": fault % {"name": method, "known": ", ".join(MODULES)}}, status=400)
    wanted = [run.id for run in jobs.active() if not method or method in run.modules]
    return JsonResponse(_overall([each.model_dump(mode="json") for each in runs_progress(wanted)]))


def _overall(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """The running one stands for all: the old page showed a single bar."""
    first = next((run for run in runs if run["state"] == "running"), runs[0] if runs else None)
    return {"progress": first["percent"] if first else None, "current": first, "runs": runs}
