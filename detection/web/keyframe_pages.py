"""Key frames of one or many videos, from finished runs; a file that has none is analysed first."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header, urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from detection import jobs
from detection.modules import MODULES
from detection.records import query, store
from detection.records.query import Filter
from detection.records.schema import RunRecord, RunState
from detection.records.uploads import UploadNotFound
from detection.web.archive import stored_zip
from detection.web.downloads import stem_of
from detection.web.keyframe_files import archive_entries, groups_of, video_of
from detection.web.ranges import file_response
from detection.web.result import PersonFrames, evidence_notes
from detection.web.rows import upload_rows
from detection.web.run_pages import get_run

RUNS_OFFERED = 50


@dataclass(frozen=True)
class RunFrames:
    run: RunRecord
    groups: list[PersonFrames]


@require_http_methods(["GET", "HEAD", "POST"])
def keyframes(request: HttpRequest, *, many: bool = False) -> HttpResponse:
    """`run` (one or more) says whose key frames are shown; `upload` which files are analysed for them."""
    if request.method == "POST":
        return _choose(request, many)
    chosen = _chosen(request)
    finished = query.history(settings.MEDIA_ROOT).page(Filter(state=RunState.DONE), limit=RUNS_OFFERED)
    shown = [RunFrames(run, groups_of(run)) for run in chosen]
    context = {
        "section": "keyframes",
        "many": many,
        "chosen": shown,
        "notes": evidence_notes(frame for each in shown for group in each.groups for frame in group.in_order),
        "ids": [run.id for run in chosen],
        "finished": finished.rows,
        "uploads": [row for row in upload_rows() if row.can_start and row.latest is None],
    }
    return render(request, "keyframes.html", context)


def _chosen(request: HttpRequest) -> list[RunRecord]:
    """Each once, and no more than the page offers."""
    return [get_run(run_id) for run_id in list(dict.fromkeys(request.GET.getlist("run")))[:RUNS_OFFERED]]


@require_safe
def archive(request: HttpRequest) -> HttpResponseBase:
    """The key frames of the runs (`run`, one or more) as a ZIP archive."""
    runs = [(run, store.run_dir(settings.MEDIA_ROOT, run.id)) for run in _chosen(request)]
    if not any(groups_of(run) for run, _folder in runs):
        raise Http404(_("There are no key frames."))
    first = runs[0][0]
    stem = f"{stem_of(first.video_name)}-{first.id}" if len(runs) == 1 else "videos"
    return stored_zip(f"{stem}-keyframes.zip", archive_entries(runs))


@require_safe
def video(request: HttpRequest, run_id: str) -> HttpResponseBase:
    """The key frames of a run, one after the other, as a video; with `save` as a download."""
    run = get_run(run_id)
    made = video_of(run, store.run_dir(settings.MEDIA_ROOT, run_id))
    if made is None:
        raise Http404(_("There are no key frames."))
    response = file_response(request, made, "video/mp4")
    if "save" in request.GET:
        name = f"{stem_of(run.video_name)}-{run.id}-keyframes.mp4"
        response["Content-Disposition"] = content_disposition_header(True, name)
    return response


def _choose(request: HttpRequest, many: bool) -> HttpResponse:
    runs = request.POST.getlist("run")
    files = request.POST.getlist("upload")
    if not runs and not files:
        messages.error(request, _("Choose at least one video."))
        return redirect(request.path)
    if files:
        try:
            runs += jobs.start(files, [next(iter(MODULES))])
        except UploadNotFound as error:
            messages.error(request, str(error))
            return redirect(request.path)
    chosen = runs if many or len(runs) > 1 else runs[:1]
    return redirect(f"{request.path}?{urlencode({'run': chosen}, doseq=True)}")
