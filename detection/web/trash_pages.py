"""What was deleted: brought back from where it was deleted, or from the trash's own page."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from detection import jobs
from detection.jobs import retention
from detection.records import store, trash, upload_trash
from detection.records.codec import RecordError
from detection.records.trash import DeletedRun, NotInTrash
from detection.records.upload_trash import DeletedUpload
from detection.web import previews

RUN, UPLOAD = "deleted", "removed"  # parameters of an address whose page offers to undo what was just done
ROWS_PER_PAGE = 50


@dataclass(frozen=True)
class Undo:
    """What was just deleted and can be brought back, and the page to return to then."""

    runs: list[DeletedRun]
    uploads: list[DeletedUpload]
    back: str

    @property
    def first_name(self) -> str:
        return self.runs[0].video_name if self.runs else self.uploads[0].upload.name


def undo_offer(request: HttpRequest) -> Undo | None:
    """What the address of a page says was just deleted, as far as it lies in the trash."""
    root, runs, files = Path(settings.MEDIA_ROOT), [], []
    for run_id in request.GET.getlist(RUN):
        with contextlib.suppress(NotInTrash):
            runs.append(trash.deleted_run(root, run_id))
    for sha256 in request.GET.getlist(UPLOAD):
        with contextlib.suppress(NotInTrash):
            files.append(upload_trash.deleted_upload(root, sha256))
    return Undo(runs, files, without_offer(request.get_full_path())) if runs or files else None


def without_offer(address: str) -> str:
    """An address without what it says was deleted."""
    parts = urlsplit(address)
    query = QueryDict(parts.query, mutable=True)
    for name in (RUN, UPLOAD):
        query.pop(name, None)
    return f"{parts.path}?{query.urlencode()}" if query else parts.path


def with_offer(address: str, name: str, ids: list[str]) -> str:
    """The address of a page that offers to bring `ids` back; `name` is RUN or UPLOAD."""
    parts = urlsplit(without_offer(address))
    query = QueryDict(parts.query, mutable=True)
    query.setlist(name, ids)
    return f"{parts.path}?{query.urlencode()}"


def came_from(request: HttpRequest, default: str) -> str:
    """The page that a form names as `next`; `default`, the name of one, if it names none of this site's."""
    named = request.POST.get("next", "")
    return named if url_has_allowed_host_and_scheme(named, allowed_hosts=None) else reverse(default)


@require_POST
def delete_runs(request: HttpRequest) -> HttpResponse:
    """Delete one row of the history (`only`) or the chosen ones (`run`), and offer to undo it."""
    chosen = request.POST.getlist("only") or request.POST.getlist("run")
    if not chosen:
        messages.error(request, _("Choose at least one result."))
    deleted = []
    for run_id in chosen:
        try:
            jobs.delete(run_id)
        except store.RunNotFound:
            continue  # deleted in another tab
        except store.RunIsActive:
            messages.error(request, _("Something is still being done with %s: cancel that first.") % _name(run_id))
            continue
        deleted.append(run_id)
    address = came_from(request, "history")
    return redirect(with_offer(address, RUN, deleted) if deleted else without_offer(address))


def _name(run_id: str) -> str:
    try:
        return f"“{store.load_run(settings.MEDIA_ROOT, run_id).video_name}”"
    except (store.RunNotFound, RecordError):
        return run_id


@require_safe
def trash_page(request: HttpRequest) -> HttpResponse:
    root = Path(settings.MEDIA_ROOT)
    runs, files = trash.deleted_runs(root), upload_trash.deleted_uploads(root)
    context = {
        "section": "history",
        "runs": runs[:ROWS_PER_PAGE],
        "uploads": files[:ROWS_PER_PAGE],
        "more": max(len(runs) - ROWS_PER_PAGE, 0) + max(len(files) - ROWS_PER_PAGE, 0),
    }
    return render(request, "trash.html", context)


@require_POST
def restore(request: HttpRequest) -> HttpResponse:
    """Bring back the named runs and files, and return to where they were deleted."""
    root, count = Path(settings.MEDIA_ROOT), 0
    for run_id in request.POST.getlist("run"):
        with contextlib.suppress(NotInTrash):
            trash.restore_run(root, run_id)
            count += 1
    for sha256 in request.POST.getlist("upload"):
        with contextlib.suppress(NotInTrash):
            upload_trash.restore_upload(root, sha256)
            count += 1
    if count:
        messages.success(request, ngettext("%d was brought back.", "%d were brought back.", count) % count)
    else:
        messages.error(request, _("It is not in the trash any more: it was brought back, or its time is over."))
    return redirect(without_offer(came_from(request, "trash")))


@require_http_methods(["GET", "HEAD", "POST"])
def empty(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        question = _("Remove everything in the trash for good? This cannot be undone.")
        return render(request, "confirm.html", {"question": question, "back": "trash"})
    removed = retention.empty_trash(Path(settings.MEDIA_ROOT))
    for sha256 in removed.uploads:
        previews.forget_unless_there(sha256)
    messages.success(request, _("The trash is empty."))
    return redirect("trash")
