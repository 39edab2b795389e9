"""`/acc/`: a person's own clips of which the truth is known, in two lists; and starting an evaluation on them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from detection.evaluation.folders import FolderError
from detection.jobs import evaluations as work
from detection.modules import MODULES
from detection.records import labelled
from detection.records.evaluations import EvaluationRecord
from detection.records.labelled import Label, LabelledUpload, Words
from detection.records.uploads import UploadNotFound
from detection.web import evaluation_words, previews
from detection.web.evaluation_rows import evaluation_rows
from detection.web.module_pages import module_pages
from detection.web.receive import UploadRefused, receive_form_file

NAME_LIMIT = 80


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    """The lists, and all earlier evaluations. A POST brings files, from browsers without script."""
    if request.method == "POST":
        _keep_form_files(request)
        return redirect("evaluation")
    clips = labelled.labelled(settings.MEDIA_ROOT)
    context = {
        "section": "analysis",
        "lists": [(label, words, [c for c in clips if c.said.label == label]) for label, words in _lists()],
        "has_clips": bool(clips),
        "methods": sorted({clip.said.method for clip in clips if clip.said.method}),
        "pairs": sorted({clip.said.pair for clip in clips if clip.said.pair}),
        "modules": module_pages(),
        "rows": evaluation_rows(),
        "may_name_folder": _may_name_folder(request),
        "limit_mb": settings.DEEPFAKE_MAX_UPLOAD_MB,
    }
    return render(request, "acc.html", context)


def _lists() -> list[tuple[Label, evaluation_words.ListWords]]:
    return [("real", evaluation_words.LISTS["real"]), ("fake", evaluation_words.LISTS["fake"])]


def _keep_form_files(request: HttpRequest) -> None:
    label = _label(request.POST.get("label"))
    for file in request.FILES.getlist("files"):
        try:
            upload = previews.inspect(receive_form_file(file))
            labelled.put(settings.MEDIA_ROOT, upload.sha256, label)
        except UploadRefused as refusal:
            messages.error(request, f"{file.name}: {refusal}")


@require_POST
def add(request: HttpRequest) -> HttpResponse:
    """Enter an uploaded file into a list; the page's script calls it."""
    given = _given(request)
    try:
        put = labelled.put(
            settings.MEDIA_ROOT, given.get("sha256", ""), _label(given.get("label")), method=given.get("method", "")
        )
    except UploadNotFound as error:
        raise Http404(str(error)) from error
    return JsonResponse({"row": reverse("labelled", args=[put.said.sha256])})


@require_http_methods(["GET", "HEAD", "POST"])
def clip(request: HttpRequest, sha256: str) -> HttpResponse:
    """One row of a list, for the page's script; a POST changes what is said of the clip."""
    found = _get(sha256)
    if request.method == "POST":
        given = _given(request)
        labelled.describe(settings.MEDIA_ROOT, {sha256: Words(given.get("method"), given.get("pair"))})
        return JsonResponse({})
    return render(request, "parts/labelled_row.html", {"clip": found})


@require_POST
def remove(request: HttpRequest, sha256: str) -> HttpResponse:
    """Take a clip out of its list; the file is then among the other videos again."""
    labelled.take_out(settings.MEDIA_ROOT, _get(sha256).said.sha256)
    return redirect("evaluation")


@require_http_methods(["GET", "HEAD", "POST"])
def clear(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return render(request, "confirm.html", {"question": evaluation_words.CLEAR, "back": "evaluation"})
    labelled.take_out(settings.MEDIA_ROOT)
    return redirect("evaluation")


@require_POST
def start(request: HttpRequest) -> HttpResponse:
    """Evaluate the lists as they are, with the words that the form brings."""
    said = {
        sha256: Words(request.POST.get(f"method-{sha256}"), request.POST.get(f"pair-{sha256}"))
        for sha256 in labelled.sha256s(settings.MEDIA_ROOT)
    }
    labelled.describe(settings.MEDIA_ROOT, said)
    try:
        record = work.start(_name(request, ""), _modules(request))
    except work.NotEnoughClips:
        messages.error(request, evaluation_words.NOT_ENOUGH)
        return redirect("evaluation")
    return _started(record)


@require_POST
def start_folder(request: HttpRequest) -> HttpResponse:
    """Evaluate a folder of this machine, where it lies."""
    if not _may_name_folder(request):
        raise Http404
    folder = Path(request.POST.get("folder", "").strip()).expanduser()
    try:
        if not folder.is_absolute():
            raise FolderError(_("Give the whole path of the folder, from the root of the disk on."))
        record = work.start_on_folder(folder, _name(request, folder.name), _modules(request))
    except FolderError as error:
        messages.error(request, str(error))
        return redirect(f"{reverse('evaluation')}#folder")
    return _started(record)


def _may_name_folder(request: HttpRequest) -> bool:
    """Whoever has this machine's files anyway; not people who sign in from elsewhere."""
    return getattr(request, "who", None) == "local"


def _started(record: EvaluationRecord) -> HttpResponse:
    return redirect("evaluation-result", record.id)


def _name(request: HttpRequest, default: str) -> str:
    now = timezone.localtime().strftime("%Y-%m-%d %H:%M")
    return " ".join(request.POST.get("name", "").split())[:NAME_LIMIT] or default[:NAME_LIMIT] or now


def _modules(request: HttpRequest) -> list[str]:
    chosen = set(request.POST.getlist("modules"))
    return [key for key in MODULES if key in chosen] or list(MODULES)


def _get(sha256: str) -> LabelledUpload:
    try:
        return labelled.find(settings.MEDIA_ROOT, sha256)
    except UploadNotFound as error:
        raise Http404(str(error)) from error


def _label(word: Any) -> Label:
    return "fake" if word == "fake" else "real"


def _given(request: HttpRequest) -> dict[str, str]:
    """The words of a JSON object; what is no word is left out."""
    try:
        given = json.loads(request.body or b"{}")
    except ValueError:
        given = {}
    return {name: word for name, word in given.items() if isinstance(word, str)} if isinstance(given, dict) else {}
