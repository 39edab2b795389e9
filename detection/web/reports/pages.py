"""The addresses of the reports on a run."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from detection.records import store
from detection.web.downloads import csv_download, download, stem_of
from detection.web.reports import data
from detection.web.reports.subject import Subject
from detection.web.run_pages import get_run


@require_safe
def pdf(request: HttpRequest, run_id: str) -> HttpResponseBase:
    from detection.web.reports.pdf import pdf_report  # ReportLab is loaded with the first report

    subject = _subject(run_id)
    return download(pdf_report(subject, timezone.now()), "application/pdf", _name(subject, "report.pdf"))


@require_safe
def json(request: HttpRequest, run_id: str) -> HttpResponseBase:
    subject = _subject(run_id)
    return download(data.json_report(subject, timezone.now()), "application/json", _name(subject, "report.json"))


@require_safe
def scores(request: HttpRequest, run_id: str) -> HttpResponseBase:
    subject = _subject(run_id)
    rows = data.score_rows(subject.record, subject.analysis)
    return csv_download(_name(subject, "scores.csv"), data.SCORE_COLUMNS, rows)


@require_safe
def frames(request: HttpRequest, run_id: str) -> HttpResponseBase:
    subject = _subject(run_id)
    rows = data.frame_rows(subject.record, subject.analysis)
    return csv_download(_name(subject, "frames.csv"), data.FRAME_COLUMNS, rows)


def _subject(run_id: str) -> Subject:
    record = get_run(run_id)
    if record.analysis is None:
        raise Http404(_("This run has no result, so there is no report on it."))
    return Subject(record, record.analysis, store.run_dir(settings.MEDIA_ROOT, run_id))


def _name(subject: Subject, ending: str) -> str:
    return f"{stem_of(subject.record.video_name)}-{subject.record.id}-{ending}"
