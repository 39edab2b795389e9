"""Key frames of one or many videos, from finished runs; a file that has none is analysed first."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from detection import jobs
from detection.modules import MODULES
from detection.records import query
from detection.records.query import Filter
from detection.records.schema import RunRecord, RunState
from detection.records.uploads import UploadNotFound
from detection.web.result import KeyFrame, key_frames
from detection.web.rows import upload_rows
from detection.web.run_pages import get_run

RUNS_OFFERED = 50


@dataclass(frozen=True)
class RunFrames:
    run: RunRecord
    frames: list[KeyFrame]


@require_http_methods(["GET", "HEAD", "POST"])
def keyframes(request: HttpRequest, *, many: bool = False) -> HttpResponse:
    """`run` (one or more) says whose key frames are shown; `upload` which files are analysed for them."""
    if request.method == "POST":
        return _choose(request, many)
    chosen = [get_run(run_id) for run_id in request.GET.getlist("run")]
    finished = query.history(settings.MEDIA_ROOT).page(Filter(state=RunState.DONE), limit=RUNS_OFFERED)
    context = {
        "section": "keyframes",
        "many": many,
        "chosen": [
            RunFrames(run, key_frames(run, run.analysis.modules.values()) if run.analysis else []) for run in chosen
        ],
        "ids": [run.id for run in chosen],
        "finished": finished.rows,
        "uploads": [row for row in upload_rows() if row.can_start and row.latest is None],
    }
    return render(request, "keyframes.html", context)


def _choose(request: HttpRequest, many: bool) -> HttpResponse:
    runs = request.POST.getlist("run")
    files = request.POST.getlist("upload")
    if not runs and not files:
        messages.error(request, _("Choose at least one video."))
        return redirect(request.path)
    if files:
        try:
            runs += jobs.start(files, [next(key for key, spec in MODULES.items() if spec.detector)])
        except UploadNotFound as error:
            messages.error(request, str(error))
            return redirect(request.path)
    chosen = runs if many or len(runs) > 1 else runs[:1]
    return redirect(f"{request.path}?{urlencode({'run': chosen}, doseq=True)}")
