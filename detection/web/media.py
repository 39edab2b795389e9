"""Videos and pictures under media/, with types that this site chose, never those that a file claims."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponseBase
from django.views.decorators.http import require_safe

from detection.records import store, uploads
from detection.records.files import within
from detection.records.uploads import UploadNotFound
from detection.web import previews
from detection.web.ranges import file_response

TYPES = {
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".webm": "video/webm",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
}
OTHER = "application/octet-stream"
# A file that is no picture or video runs nothing and is no part of this site, whatever a browser makes of it. Videos
# are not sandboxed: opened by themselves they would not play.
OTHERS_POLICY = "default-src 'none'; sandbox"


@require_safe
def source(request: HttpRequest, sha256: str) -> HttpResponseBase:
    """The uploaded file as it is."""
    try:
        upload = uploads.find_upload(settings.MEDIA_ROOT, sha256)
    except UploadNotFound as error:
        raise Http404(str(error)) from error
    return _send(request, uploads.file_path(settings.MEDIA_ROOT, upload))


@require_safe
def preview(request: HttpRequest, sha256: str) -> HttpResponseBase:
    """The copy that every browser plays, once it is made."""
    return _send(request, previews.copy_path(sha256))


@require_safe
def poster(request: HttpRequest, sha256: str) -> HttpResponseBase:
    return _send(request, previews.poster_path(sha256))


@require_safe
def evidence(request: HttpRequest, run_id: str, path: str) -> HttpResponseBase:
    """A picture or video in a run's folder; nothing else that lies there, and nothing outside it."""
    try:
        folder = store.run_dir(settings.MEDIA_ROOT, run_id)
    except store.RunNotFound as error:
        raise Http404(str(error)) from error
    file = within(folder, path)
    if file is None or file.suffix not in TYPES:
        raise Http404(path)
    return _send(request, file)


def _send(request: HttpRequest, file: Path) -> HttpResponseBase:
    content_type = TYPES.get(file.suffix.lower(), OTHER)
    try:
        response = file_response(request, file, content_type)
    except (FileNotFoundError, IsADirectoryError) as error:
        raise Http404(file.name) from error
    if content_type == OTHER:
        response["Content-Security-Policy"] = OTHERS_POLICY
    return response
