"""The first page: files in, modules chosen, analysis started; and what becomes of each file."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from detection import jobs
from detection.modules import MODULES
from detection.records import upload_trash, uploads
from detection.records.uploads import Upload, UploadNotFound
from detection.web import previews
from detection.web.module_pages import module_page, module_pages
from detection.web.paging import page_number
from detection.web.receive import UploadRefused, receive_form_file
from detection.web.rows import upload_row, upload_rows
from detection.web.trash_pages import UPLOAD, undo_offer, with_offer

ROWS_PER_PAGE = 50


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    return redirect(f"{next(iter(MODULES))}-upload")


@require_http_methods(["GET", "HEAD", "POST"])
def upload_page(request: HttpRequest, key: str) -> HttpResponse:
    if request.method == "POST":
        _keep_form_files(request)
        return redirect(request.path)
    return render(request, "upload.html", _context(request, key))


def _context(request: HttpRequest, key: str) -> dict[str, Any]:
    page = page_number(request)
    rows = upload_rows(offset=(page - 1) * ROWS_PER_PAGE, limit=ROWS_PER_PAGE + 1)
    return {
        "section": "home",
        "module": module_page(key),
        "modules": module_pages(),
        "rows": rows[:ROWS_PER_PAGE],
        "page": page,
        "has_more": len(rows) > ROWS_PER_PAGE,
        "queue": jobs.queue_state(),
        "limit_mb": settings.DEEPFAKE_MAX_UPLOAD_MB,
        "limit_bytes": settings.DEEPFAKE_MAX_UPLOAD_MB * 1024**2,
        "limit_s": settings.DEEPFAKE_MAX_DURATION_S,
        "keep_partial_days": settings.DEEPFAKE_KEEP_PARTIAL_DAYS,
        "keep_days": settings.DEEPFAKE_KEEP_DAYS,
        "undo": undo_offer(request),
    }


def _keep_form_files(request: HttpRequest) -> None:
    """For browsers without script."""
    for file in request.FILES.getlist("files"):
        try:
            previews.inspect(receive_form_file(file))
        except UploadRefused as refusal:
            messages.error(request, f"{file.name}: {refusal}")


@require_POST
def start(request: HttpRequest, key: str) -> HttpResponse:
    """Start the chosen files with the chosen modules, by default the page's own; then on to where they are followed."""
    files = request.POST.getlist("only") or request.POST.getlist("uploads")
    modules = request.POST.getlist("modules") or [key]
    if not files:
        messages.error(request, _("Choose at least one video."))
        return redirect(f"{key}-upload")
    try:
        started = jobs.start(files, modules)
    except (jobs.UnknownModule, UploadNotFound) as error:
        messages.error(request, str(error))
        return redirect(f"{key}-upload")
    batch = jobs.batch_of(started[0])
    return redirect("batch", batch) if batch else redirect("run", started[0])


@require_safe
def row(request: HttpRequest, sha256: str) -> HttpResponse:
    """One row of the list, for the page's script."""
    return render(request, "parts/upload_row.html", {"row": upload_row(_get_upload(sha256))})


@require_POST
def remove(request: HttpRequest, sha256: str) -> HttpResponse:
    """Into the trash; the page offers to undo it. Results over the file stay, without the video."""
    upload = _get_upload(sha256)
    first_page = reverse(f"{next(iter(MODULES))}-upload")
    if upload_row(upload).active:
        messages.error(request, _("“%s” is being analysed: cancel that first.") % upload.name)
        return redirect(first_page)
    upload_trash.delete_upload(settings.MEDIA_ROOT, sha256)
    return redirect(with_offer(first_page, UPLOAD, [sha256]))


def _get_upload(sha256: str) -> Upload:
    try:
        return uploads.find_upload(settings.MEDIA_ROOT, sha256)
    except UploadNotFound as error:
        raise Http404(str(error)) from error
