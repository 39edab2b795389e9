"""The addresses of the reports on a run."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from detection.records import store
from detection.records.codec import RecordError
from detection.web.downloads import csv_download, download, stem_of
from detection.web.reports import data
from detection.web.reports.subject import Subject


class NoReport(Exception):
    """The run has no result that a report could be on."""


@require_safe
def pdf(request: HttpRequest, run_id: str) -> HttpResponseBase:
    return pdf_of(_subject(run_id))


@require_safe
def json(request: HttpRequest, run_id: str) -> HttpResponseBase:
    subject = _subject(run_id)
    return download(data.json_report(subject, timezone.now()), "application/json", _name(subject, "report.json"))


@require_safe
def scores(request: HttpRequest, run_id: str) -> HttpResponseBase:
    return scores_of(_subject(run_id))


@require_safe
def frames(request: HttpRequest, run_id: str) -> HttpResponseBase:
    return frames_of(_subject(run_id))


def pdf_of(subject: Subject) -> HttpResponseBase:
    from detection.web.reports.pdf import pdf_report  # ReportLab is loaded with the first report

    return download(pdf_report(subject, timezone.now()), "application/pdf", _name(subject, "report.pdf"))


def scores_of(subject: Subject) -> HttpResponseBase:
    rows = data.score_rows(subject.record, subject.analysis)
    return csv_download(_name(subject, "scores.csv"), data.SCORE_COLUMNS, rows)


def frames_of(subject: Subject) -> HttpResponseBase:
    rows = data.frame_rows(subject.record, subject.analysis)
    return csv_download(_name(subject, "frames.csv"), data.FRAME_COLUMNS, rows)


def subject_of(run_id: str) -> Subject:
    """Raises RunNotFound, RecordError, NoReport."""
    record = store.load_run(settings.MEDIA_ROOT, run_id)
    if record.analysis is None:
        raise NoReport(_("This run has no result, so there is no report on it."))
    return Subject(record, record.analysis, store.run_dir(settings.MEDIA_ROOT, run_id))


def _subject(run_id: str) -> Subject:
    try:
        return subject_of(run_id)
    except (store.RunNotFound, RecordError, NoReport) as error:
        raise Http404(str(error)) from error


def _name(subject: Subject, ending: str) -> str:
    return f"{stem_of(subject.record.video_name)}-{subject.record.id}-{ending}"
