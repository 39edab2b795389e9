"""One run: its progress while it lasts, its result afterwards."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from detection import jobs
from detection.records import store, uploads
from detection.records.codec import RecordError
from detection.records.schema import Analysis, RunRecord
from detection.records.uploads import UploadNotFound
from detection.web import facts, light, result, timelines, words
from detection.web.agreement import agreement
from detection.web.decision import decision
from detection.web.deviations import deviations
from detection.web.module_pages import module_page
from detection.web.result import evidence_notes, missing_pictures
from detection.web.trash_pages import RUN, with_offer


@require_safe
def run_page(request: HttpRequest, run_id: str) -> HttpResponse:
    record = get_run(run_id)
    if not record.state.is_final:
        now, queue = jobs.progress(run_id), jobs.queue_state()
        return render(request, "run_progress.html", {"section": "history", "run": record, "now": now, "queue": queue})
    return render(request, "run.html", {"section": "history", **run_context(record)})


def run_context(record: RunRecord) -> dict[str, Any]:
    """What the result's templates need; without an analysis (failed, cancelled) only the run."""
    context: dict[str, Any] = {
        "run": record,
        "video": record.video,
        "has_file": has_file(record),
        "file_facts": facts.file_facts(record),
    }
    if record.analysis is not None:
        context |= _analysis_context(record, record.analysis)
    return context


def _analysis_context(record: RunRecord, analysis: Analysis) -> dict[str, Any]:
    frames = result.key_frames(record, analysis.modules.values())
    origin = analysis.provenance
    return {
        "analysis": analysis,
        "detail": facts.detail_words(record, analysis),
        "agreement": agreement(analysis),
        "decision": decision(analysis),
        "people": result.person_cards(record, analysis),
        "people_frames": result.people_frames(frames, analysis),
        "notes": evidence_notes(frames),
        "missing_pictures": missing_pictures(frames),
        "moments": timelines.moments(analysis),
        "timeline": timelines.timeline(analysis),
        "lanes": timelines.lanes(analysis),
        "without_timeline": timelines.without_timeline(analysis),
        "modules": [(module_page(key), outcome) for key, outcome in analysis.modules.items()],
        "light": light.course_charts(analysis),
        "deviations": [
            (module_page(key), found) for key, outcome in analysis.modules.items() if (found := deviations(outcome))
        ],
        "limits": words.LIMITS,
        "analysis_facts": facts.analysis_facts(analysis),
        "version_facts": facts.version_facts(analysis),
        "credential_facts": facts.credential_facts(origin) if origin else [],
        "metadata_facts": facts.metadata_facts(origin) if origin else [],
    }


@require_POST
def again(request: HttpRequest, run_id: str) -> HttpResponse:
    """Analyse the same file once more, with the modules that are there now."""
    record = get_run(run_id)
    try:
        (new,) = jobs.start([record.sha256], record.modules)
    except UploadNotFound:
        messages.error(request, _("The video was removed. Upload it again to analyse it again."))
        return redirect("run", run_id)
    return redirect("run", new)


@require_POST
def cancel(request: HttpRequest, run_id: str) -> HttpResponse:
    get_run(run_id)
    jobs.cancel(run_id)
    return redirect("run", run_id)


@require_POST
def retry(request: HttpRequest, run_id: str) -> HttpResponse:
    get_run(run_id)
    try:
        jobs.retry(run_id)
    except jobs.NotRetryable as error:
        messages.error(request, str(error))
    return redirect("run", run_id)


@require_POST
def retry_failed(request: HttpRequest) -> HttpResponse:
    count = len(jobs.retry_failed())
    messages.success(request, ngettext("%d run is tried again.", "%d runs are tried again.", count) % count)
    return redirect("home")


@require_POST
def delete(request: HttpRequest, run_id: str) -> HttpResponse:
    """Into the trash; the history offers to undo it."""
    record = get_run(run_id)
    try:
        jobs.delete(run_id)
    except store.RunIsActive:
        messages.error(request, _("“%s” is being analysed: cancel that first.") % record.video_name)
        return redirect("run", run_id)
    return redirect(with_offer(reverse("history"), RUN, [run_id]))


def get_run(run_id: str) -> RunRecord:
    try:
        return store.load_run(settings.MEDIA_ROOT, run_id)
    except (store.RunNotFound, RecordError) as error:
        raise Http404(str(error)) from error


def has_file(record: RunRecord) -> bool:
    try:
        uploads.find_upload(settings.MEDIA_ROOT, record.sha256)
    except UploadNotFound:
        return False
    return True
