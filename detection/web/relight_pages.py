"""The video of a finished run under another light: choosing it, the clips that were made, and the verdict under it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from detection.jobs import followups as work
from detection.jobs.followup_requests import STRETCH_S
from detection.records import store
from detection.records.codec import RecordError
from detection.records.followups import FollowUpNotFound
from detection.records.schema import RunRecord, RunState
from detection.web import relit
from detection.web.archive import stored_zip
from detection.web.relight_form import LightForm, as_fields
from detection.web.relight_words import PRESET_NAMES, fault_words
from detection.web.run_pages import get_run, has_file
from detection.web.stills import NoStill, make_still
from relitalk.light import PRESETS

START_PRESET = "left"
CACHED_S = 600


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, run_id: str) -> HttpResponse:
    """Choose a light. A POST makes the video; without script GET takes the form's fields and shows their still."""
    run = _finished(run_id)
    start = as_fields(PRESETS[START_PRESET])
    form = LightForm({**start, **request.POST.dict()} if request.method == "POST" else {**start, **request.GET.dict()})
    if request.method == "POST" and form.is_valid():
        work.ask_to_relight(run_id, form.request(), keep_frames=form.cleaned_data["frames"])
        return redirect(f"{reverse('relight', args=[run_id])}#work")
    time_s = _time(request, _start_time(run))
    duration_s = run.video.duration_s if run.video else 0.0
    context = {
        "section": "history",
        "run": run,
        "has_file": has_file(run),
        "form": form,
        "presets": [(name, PRESET_NAMES[name], json.dumps(as_fields(PRESETS[name]))) for name in PRESETS],
        "time_s": time_s,
        "last_s": max(0.0, duration_s - 0.02),
        "still": f"{reverse('relight-still', args=[run_id])}?{_query(form, time_s)}",
        "is_remote": bool(settings.RELITALK_URL),
        **_work_context(run),
    }
    status = 400 if request.method == "POST" else 200
    return render(request, "relight.html", context, status=status)


@require_safe
def work_part(request: HttpRequest, run_id: str) -> HttpResponse:
    """The lower half of the page alone: what is being made, and what was."""
    return render(request, "parts/relight_work.html", _work_context(_finished(run_id)))


def _work_context(run: RunRecord) -> dict[str, Any]:
    rows = [relit.work_row(progress) for progress in work.of_run(run.id)]
    verdicts = [row for row in rows if row.followup.kind == "changed_light"]
    return {
        "run": run,
        "clips": [row for row in rows if row.followup.kind == "relight"],
        "verdict": verdicts[0] if verdicts else None,
        "light_rows": relit.light_rows(verdicts[0].followup) if verdicts else [],
        "stretch_s": int(STRETCH_S),
        "has_people": bool(run.analysis and run.analysis.people),
    }


@require_safe
def still(request: HttpRequest, run_id: str) -> HttpResponse:
    """The frame at `time` as JPEG, under the light of the other fields; `plain` is the frame as it is."""
    run = _finished(run_id)
    form = LightForm(request.GET)
    if not form.is_valid():
        return JsonResponse({"error": form.faults()}, status=400)
    light = None if "plain" in request.GET else form.light
    try:
        made = make_still(settings.MEDIA_ROOT / run.upload, _time(request, 0.0), light)
    except NoStill as fault:
        words = fault_words(fault.reason)
        text = f"{words.title} {words.advice}" if words else str(fault)
        return JsonResponse({"error": text, "reason": fault.reason}, status=422)
    response = HttpResponse(made.jpeg, content_type="image/jpeg")
    response["Cache-Control"] = f"private, max-age={CACHED_S}"
    if made.source_lights:
        response["X-Source-Lights"] = json.dumps(made.source_lights)
    return response


@require_safe
def clip_page(request: HttpRequest, run_id: str, followup_id: str) -> HttpResponse:
    """One relit clip beside its source, or how far it is."""
    run = _finished(run_id)
    progress = _progress(run_id, followup_id)
    followup = progress.followup
    if followup.kind != "relight":
        return redirect(f"{reverse('relight', args=[run_id])}#verdict")
    request_made = relit.request_of(followup)
    context: dict[str, Any] = {
        "section": "history",
        "run": run,
        "row": relit.work_row(progress),
        "followup": followup,
        "facts": relit.light_facts(request_made),
        "has_file": has_file(run),
    }
    if followup.state is RunState.DONE and followup.result is not None:
        report = followup.result.get("report")
        context |= {
            "manifest": followup.result,
            "report": report,
            "measures": relit.measures(report),
            "source_lights": relit.source_lights(report),
            "video": relit.video_address(followup),
            "download_name": f"{Path(run.video_name).stem}-relit.mp4",
            "has_frames": relit.has_frames(followup),
            "is_there": (work.relit_folder(run_id, followup_id) / work.RELIT_VIDEO).is_file(),
        }
    return render(request, "relit.html", context)


@require_safe
def manifest(request: HttpRequest, run_id: str, followup_id: str) -> HttpResponse:
    result = _progress(run_id, followup_id).followup.result
    if result is None:
        raise Http404(followup_id)
    response = HttpResponse(json.dumps(result, indent=1, ensure_ascii=False), content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="relit-{followup_id}.json"'
    return response


@require_safe
def frames(request: HttpRequest, run_id: str, followup_id: str) -> HttpResponseBase:
    """All PNG frames of a clip as one archive."""
    _progress(run_id, followup_id)
    folder = work.relit_folder(run_id, followup_id) / work.RELIT_FRAMES
    files = sorted(folder.glob("*.png"))
    if not files:
        raise Http404(followup_id)
    return stored_zip(f"relit-{followup_id}.zip", ((file.name, file) for file in files))


@require_POST
def examine(request: HttpRequest, run_id: str) -> HttpResponse:
    """Ask for the verdict under changed light."""
    _finished(run_id)
    work.ask_for_changed_light(run_id)
    return redirect(f"{reverse('relight', args=[run_id])}#verdict")


@require_POST
def cancel(request: HttpRequest, run_id: str, followup_id: str) -> HttpResponse:
    _progress(run_id, followup_id)
    work.cancel(run_id, followup_id)
    return _back(run_id)


@require_POST
def retry(request: HttpRequest, run_id: str, followup_id: str) -> HttpResponse:
    _progress(run_id, followup_id)
    work.retry(run_id, followup_id)
    return _back(run_id)


@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: HttpRequest, run_id: str, followup_id: str) -> HttpResponse:
    _progress(run_id, followup_id)
    if request.method != "POST":
        return render(request, "confirm.html", {"question": _("Delete this relit video?"), "back": "history"})
    try:
        work.remove(run_id, followup_id)
    except store.RunIsActive:
        messages.error(request, _("It is still being made: cancel that first."))
    return _back(run_id)


def _back(run_id: str) -> HttpResponse:
    return redirect(f"{reverse('relight', args=[run_id])}#work")


def _finished(run_id: str) -> RunRecord:
    run = get_run(run_id)
    if run.state is not RunState.DONE:
        raise Http404(_("This run has no result yet: only a finished one can be relit."))
    return run


def _progress(run_id: str, followup_id: str) -> work.FollowUpProgress:
    try:
        return work.progress(run_id, followup_id)
    except (FollowUpNotFound, store.RunNotFound, RecordError) as error:
        raise Http404(str(error)) from error


def _start_time(run: RunRecord) -> float:
    """The middle of the longest time in which the most seen person shows; else early in the video."""
    people = run.analysis.people if run.analysis else ()
    spans = max(people, key=lambda person: person.frames).spans if people else ()
    if spans:
        longest = max(spans, key=lambda span: span.end_s - span.start_s)
        return round((longest.start_s + longest.end_s) / 2, 2)
    return round(0.1 * run.video.duration_s, 2) if run.video else 0.0


def _time(request: HttpRequest, default: float) -> float:
    try:
        return min(max(float(request.GET.get("time", default)), 0.0), 1e6)
    except ValueError:
        return default


def _query(form: LightForm, time_s: float) -> str:
    names = ("azimuth", "elevation", "intensity", "ambient", "softness", "colour", "fixed_to")
    return urlencode({"time": time_s} | {name: form.data[name] for name in names if name in form.data})
