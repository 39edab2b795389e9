"""The JSON interface, version 1. `api_words.py` describes each operation for people."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

import msgspec
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from detection import jobs
from detection.modules import MODULES
from detection.records import codec, query, store, uploads
from detection.records.codec import RecordError
from detection.records.uploads import Upload, UploadNotFound
from detection.web import previews
from detection.web.following import progress_json
from detection.web.history_pages import FilterForm
from detection.web.receive import UploadRefused, receive_body
from detection.web.rows import UploadRow, upload_row, upload_rows

ROWS_PER_PAGE = 50
MAX_FOLLOWED = 500

View = Callable[..., HttpResponse]

STATUS = {
    UploadNotFound: 404,
    store.RunNotFound: 404,
    RecordError: 500,
    jobs.UnknownModule: 400,
    jobs.NotRetryable: 409,
    store.RunIsActive: 409,
}


class BadRequest(Exception):
    """The request's own fault; the message says which."""


def answers_json(view: View) -> View:
    """Faults that are foreseen become `{"error": …}` with a fitting status."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except UploadRefused as refusal:
            return JsonResponse({"error": str(refusal)}, status=refusal.status)
        except BadRequest as fault:
            return JsonResponse({"error": str(fault)}, status=400)
        except tuple(STATUS) as fault:
            return JsonResponse({"error": str(fault)}, status=STATUS[type(fault)])

    return wrapped


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """The modules, the limits, the state of the queue, and the token that changes must be sent with."""
    queue = jobs.queue_state()
    return JsonResponse(
        {
            "version": 1,
            "csrf_token": get_token(request),
            "modules": {
                key: {"name": spec.name, "available": spec.detector is not None} for key, spec in MODULES.items()
            },
            "limits": {
                "upload_mb": settings.DEEPFAKE_MAX_UPLOAD_MB,
                "duration_s": settings.DEEPFAKE_MAX_DURATION_S,
            },
            "queue": {"worker_alive": queue.worker_alive, "queued": queue.queued, "running": list(queue.running)},
            "documentation": reverse("api-page"),
        }
    )


@require_http_methods(["GET", "HEAD", "POST"])
@answers_json
def uploads_collection(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        return _receive(request)
    offset = (_whole_number(request, "page", 1) - 1) * ROWS_PER_PAGE
    return JsonResponse({"uploads": [_upload_json(row) for row in upload_rows(offset=offset, limit=ROWS_PER_PAGE)]})


def _receive(request: HttpRequest) -> HttpResponse:
    name = request.GET.get("name", "")
    if not name:
        raise BadRequest(_("The file's name is missing: add ?name=… to the address."))
    upload = previews.inspect(receive_body(request, name))
    return JsonResponse(_upload_json(upload_row(upload)), status=201)


@require_http_methods(["GET", "HEAD", "DELETE"])
@answers_json
def upload_item(request: HttpRequest, sha256: str) -> HttpResponse:
    row = upload_row(_upload(sha256))
    if request.method != "DELETE":
        return JsonResponse(_upload_json(row))
    if row.active:
        raise store.RunIsActive(_("“%s” is being analysed: cancel that first.") % row.upload.name)
    uploads.delete_upload(settings.MEDIA_ROOT, sha256)
    previews.forget(sha256)
    return HttpResponse(status=204)


@require_http_methods(["GET", "HEAD", "POST"])
@answers_json
def playback(request: HttpRequest, sha256: str) -> HttpResponse:
    """What to play of an upload. POST asks for a copy because this browser cannot play the file."""
    upload = _upload(sha256)
    state = previews.make_copy(upload) if request.method == "POST" else previews.playback(upload)
    names = {"source": "source", "copy": "preview"}
    address = reverse(names[state], args=[sha256]) if state in names else None
    return JsonResponse({"state": state, "url": address})


@require_POST
@answers_json
def start(request: HttpRequest) -> HttpResponse:
    given = _body(request)
    files, modules = _texts(given.get("uploads")), _texts(given.get("modules"))
    if not files or not modules:
        raise BadRequest(_('The body must be like {"uploads": ["<sha256>"], "modules": ["space"]}.'))
    ids = jobs.start(files, modules)
    return JsonResponse({"runs": [progress_json(run_id) for run_id in ids]}, status=202)


@require_http_methods(["GET", "HEAD", "DELETE"])
@answers_json
def run_item(request: HttpRequest, run_id: str) -> HttpResponse:
    """The whole record as it is on disk."""
    if request.method == "DELETE":
        jobs.delete(run_id)
        return HttpResponse(status=204)
    record = store.load_run(settings.MEDIA_ROOT, run_id)
    return HttpResponse(codec.to_json(record), content_type="application/json")


@require_safe
@answers_json
def progress(request: HttpRequest, run_id: str) -> HttpResponse:
    return JsonResponse(progress_json(run_id))


@require_safe
@answers_json
def progress_of_many(request: HttpRequest) -> HttpResponse:
    """Of the runs named by `run`, or of all unfinished ones. A run that was deleted meanwhile is left out."""
    ids = request.GET.getlist("run")[:MAX_FOLLOWED] or [run.id for run in jobs.active()]
    runs = []
    for run_id in ids:
        try:
            runs.append(progress_json(run_id))
        except store.RunNotFound:
            continue
    return JsonResponse({"runs": runs})


@require_POST
@answers_json
def cancel(request: HttpRequest, run_id: str) -> HttpResponse:
    jobs.cancel(run_id)
    return JsonResponse(progress_json(run_id))


@require_POST
@answers_json
def retry(request: HttpRequest, run_id: str) -> HttpResponse:
    jobs.retry(run_id)
    return JsonResponse(progress_json(run_id), status=202)


@require_POST
@answers_json
def retry_failed(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"runs": [progress_json(run_id) for run_id in jobs.retry_failed()]}, status=202)


@require_safe
@answers_json
def history(request: HttpRequest) -> HttpResponse:
    form = FilterForm(request.GET)
    if not form.is_valid():
        raise BadRequest("; ".join(f"{name}: {' '.join(map(str, faults))}" for name, faults in form.errors.items()))
    offset = (form.page_number - 1) * ROWS_PER_PAGE
    page = query.history(settings.MEDIA_ROOT).page(form.filter(), offset=offset, limit=ROWS_PER_PAGE)
    rows = [msgspec.to_builtins(row) for row in page.rows]
    for row in rows:
        del row["search"]  # how the history finds it, not what it is
    return JsonResponse({"total": page.total, "page": form.page_number, "runs": rows})


def _upload_json(row: UploadRow) -> dict[str, Any]:
    upload = row.upload
    return {
        **codec.converter.unstructure(upload),
        "active_run": row.active.id if row.active else None,
        "latest_run": row.latest.id if row.latest else None,
        "row_url": reverse("upload-row", args=[upload.sha256]),
    }


def _upload(sha256: str) -> Upload:
    return uploads.find_upload(settings.MEDIA_ROOT, sha256)


def _body(request: HttpRequest) -> dict[str, Any]:
    try:
        given = json.loads(request.body)
    except ValueError as error:
        raise BadRequest(_("The body is not JSON: %s") % error) from None
    if not isinstance(given, dict):
        raise BadRequest(_("The body must be a JSON object."))
    return given


def _texts(value: Any) -> list[str]:
    """`value` if it is a list of texts, else nothing."""
    return value if isinstance(value, list) and all(isinstance(item, str) for item in value) else []


def _whole_number(request: HttpRequest, name: str, default: int) -> int:
    text = request.GET.get(name, str(default))
    if not (text.isascii() and text.isdigit() and int(text) >= 1):
        raise BadRequest(_("%s must be a whole number from 1 on.") % name)
    return int(text)
