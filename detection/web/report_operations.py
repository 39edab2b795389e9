"""The operations that answer with what a person takes away of a run: its report and the tables of its scores."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext_noop as noop

from detection.web.api import api, faults
from detection.web.reports import pages

PDF = {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}
CSV = {"text/csv": {"schema": {"type": "string"}}}


def _answers(content: dict[str, Any]) -> dict[str, Any]:
    return {"responses": {200: {"description": "OK", "content": content}}}


@api.get(
    "/runs/{run_id}/report.pdf",
    response=faults(404, 409),
    openapi_extra=_answers(PDF),
    summary=noop("The report on a finished run as PDF, in the language of Accept-Language."),
)
def report_pdf(request: HttpRequest, run_id: str) -> HttpResponseBase:
    return pages.pdf_of(pages.subject_of(run_id))


@api.get(
    "/runs/{run_id}/scores.csv",
    response=faults(404, 409),
    openapi_extra=_answers(CSV),
    summary=noop("A table of the scores: a row for every person and module."),
)
def scores_csv(request: HttpRequest, run_id: str) -> HttpResponseBase:
    return pages.scores_of(pages.subject_of(run_id))


@api.get(
    "/runs/{run_id}/frames.csv",
    response=faults(404, 409),
    openapi_extra=_answers(CSV),
    summary=noop("A table of the scores of single frames."),
)
def frames_csv(request: HttpRequest, run_id: str) -> HttpResponseBase:
    return pages.frames_of(pages.subject_of(run_id))
