"""One evaluation: how far it is, what was found, and the same to take away."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from detection.evaluation import page as html_page
from detection.evaluation import report
from detection.evaluation.summary import Evaluation
from detection.jobs import evaluations as work
from detection.jobs.evaluations import EvaluationProgress
from detection.records.codec import RecordError
from detection.records.evaluations import EvaluationIsActive, EvaluationNotFound
from detection.web import evaluation_result
from detection.web.downloads import csv_download, download
from detection.web.evaluation_rows import evaluation_row


@require_safe
def result(request: HttpRequest, evaluation_id: str) -> HttpResponse:
    row = evaluation_row(_progress(evaluation_id))
    context: dict[str, Any] = {"section": "analysis", "row": row}
    if row.is_done:
        context |= evaluation_result.context(_found(evaluation_id))
    return render(request, "evaluation.html", context)


@require_safe
def progress(request: HttpRequest, evaluation_id: str) -> HttpResponse:
    """How far it is, for the page's script."""
    row = evaluation_row(_progress(evaluation_id))
    return JsonResponse({"is_final": not row.is_active, "words": row.words, "percent": row.percent})


@require_safe
def as_json(request: HttpRequest, evaluation_id: str) -> HttpResponse:
    made = report.as_json(_found(evaluation_id))
    return download(made.encode(), "application/json", f"evaluation-{evaluation_id}.json")


@require_safe
def as_page(request: HttpRequest, evaluation_id: str) -> HttpResponse:
    """The page that `manage.py evaluate --html` writes."""
    made = html_page.as_html(_found(evaluation_id))
    return download(made.encode(), "text/html; charset=utf-8", f"evaluation-{evaluation_id}.html")


@require_safe
def as_csv(request: HttpRequest, evaluation_id: str) -> HttpResponseBase:
    """A line per clip."""
    found = _found(evaluation_id)
    rows = evaluation_result.csv_rows(found)
    return csv_download(f"evaluation-{evaluation_id}.csv", evaluation_result.csv_head(found), rows)


@require_POST
def cancel(request: HttpRequest, evaluation_id: str) -> HttpResponse:
    _progress(evaluation_id)
    work.cancel(evaluation_id)
    return redirect("evaluation-result", evaluation_id)


@require_POST
def retry(request: HttpRequest, evaluation_id: str) -> HttpResponse:
    _progress(evaluation_id)
    work.retry(evaluation_id)
    return redirect("evaluation-result", evaluation_id)


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, evaluation_id: str) -> HttpResponse:
    name = _progress(evaluation_id).record.name
    if request.method != "POST":
        question = _("Delete the evaluation “%s”? The clips stay.") % name
        return render(request, "confirm.html", {"question": question, "back": "evaluation"})
    try:
        work.delete(evaluation_id)
        messages.success(request, _("The evaluation “%s” was deleted.") % name)
    except EvaluationIsActive:
        messages.error(request, _("“%s” is being evaluated: cancel that first.") % name)
    return redirect("evaluation")


def _progress(evaluation_id: str) -> EvaluationProgress:
    try:
        return work.progress(evaluation_id)
    except (EvaluationNotFound, RecordError) as error:
        raise Http404(str(error)) from error


def _found(evaluation_id: str) -> Evaluation:
    try:
        return work.result(evaluation_id)
    except (EvaluationNotFound, RecordError) as error:
        raise Http404(str(error)) from error
