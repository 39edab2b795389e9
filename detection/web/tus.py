"""Resumable uploads by the tus protocol 1.0 (https://tus.io/protocols/resumable-upload): core, creation, creation with
upload, termination, checksum, expiration.

The answer that completes a file, and any later one about it, names it in `Upload-Sha256`.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.urls import reverse
from django.utils.http import http_date
from django.utils.translation import gettext as _

from detection.records import partial
from detection.records.partial import Checksum, Partial
from detection.records.uploads import UploadNotFound
from detection.web import disk, previews
from detection.web.receive import CHUNK_BYTES, MB, UploadRefused, refuse_if_too_large

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,termination,checksum,expiration"
BODY_TYPE = "application/offset+octet-stream"

View = Callable[..., HttpResponse]


class TusError(Exception):
    """What the protocol answers with `status`; the message is for people."""

    def __init__(self, status: int, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status = status
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


def speaks_tus(view: View) -> View:
    """The protocol's own headers, and its status for every fault that is foreseen."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            if request.method != "OPTIONS" and request.headers.get("Tus-Resumable") != VERSION:
                raise TusError(412, _("This site speaks version %s of tus.") % VERSION, Tus_Version=VERSION)
            response = view(request, *args, **kwargs)
        except Exception as error:
            response = _answer_to(error)
        response["Tus-Resumable"] = VERSION
        response["Cache-Control"] = "no-store"
        return response

    return wrapped


def _answer_to(error: Exception) -> HttpResponse:
    """Raises `error` again if it was not foreseen."""
    match error:
        case TusError():
            return JsonResponse({"error": str(error)}, status=error.status, headers=error.headers)
        case UploadRefused():
            return JsonResponse({"error": str(error)}, status=error.status)
        case partial.PartialNotFound() | UploadNotFound():
            return JsonResponse({"error": _("This upload has expired. Upload the file again.")}, status=404)
        case partial.PartialBusy():
            return JsonResponse({"error": _("This file is being sent by another window.")}, status=423)
        case partial.OffsetConflict():
            return JsonResponse({"error": str(error)}, status=409, headers={"Upload-Offset": str(error.offset)})
        case partial.TooManyBytes():
            return JsonResponse({"error": str(error)}, status=413)
        case partial.ChecksumMismatch():
            return JsonResponse({"error": str(error)}, status=460, reason="Checksum Mismatch")
        case OSError() if fault := disk.fault_of(error):
            return JsonResponse({"error": fault[0]}, status=fault[1])
    raise error


@speaks_tus
def collection(request: HttpRequest) -> HttpResponse:
    """POST announces an upload; OPTIONS says what is possible."""
    if request.method == "OPTIONS":
        return _options()
    if request.method != "POST":
        raise TusError(405, _("Uploads are announced by POST."), Allow="POST, OPTIONS")
    size_bytes = _number(request, "Upload-Length")
    refuse_if_too_large(size_bytes)
    name = _metadata(request).get("filename", "")
    announced = partial.create(settings.MEDIA_ROOT, name, size_bytes)
    response = _append(request, announced, 0) if request.content_type == BODY_TYPE else HttpResponse()
    response.status_code = 201
    response["Location"] = reverse("tus-upload", args=[announced.id])
    response["Upload-Expires"] = _expires()
    return response


@speaks_tus
def item(request: HttpRequest, upload_id: str) -> HttpResponse:
    """HEAD says how far it is, PATCH goes on, DELETE gives it up."""
    # Some proxies let POST alone through. Only that may be overridden: the token was checked for it.
    method = request.headers.get("X-HTTP-Method-Override") if request.method == "POST" else request.method
    match method:
        case "OPTIONS":
            return _options()
        case "HEAD":
            return _state(partial.find(settings.MEDIA_ROOT, upload_id))
        case "PATCH":
            if request.content_type != BODY_TYPE:
                raise TusError(415, _("The type of the body must be %s.") % BODY_TYPE)
            announced = partial.find(settings.MEDIA_ROOT, upload_id)
            return _append(request, announced, _number(request, "Upload-Offset"))
        case "DELETE":
            partial.remove(settings.MEDIA_ROOT, upload_id)
            return HttpResponse(status=204)
    raise TusError(405, _("This is not possible with an upload."), Allow="HEAD, PATCH, DELETE, OPTIONS")


def _options() -> HttpResponse:
    headers = {
        "Tus-Version": VERSION,
        "Tus-Extension": EXTENSIONS,
        "Tus-Max-Size": str(settings.DEEPFAKE_MAX_UPLOAD_MB * MB),
        "Tus-Checksum-Algorithm": ",".join(partial.ALGORITHMS),
    }
    return HttpResponse(status=204, headers=headers)


def _state(announced: Partial) -> HttpResponse:
    there = partial.offset(settings.MEDIA_ROOT, announced)
    response = HttpResponse(headers={"Upload-Offset": str(there), "Upload-Length": str(announced.size_bytes)})
    _complete(response, announced, there)
    return response


def _append(request: HttpRequest, announced: Partial, at: int) -> HttpResponse:
    _number(request, "Content-Length")  # a chunked body has none, and WSGI does not hand it on
    there = partial.append(settings.MEDIA_ROOT, announced.id, at, _body(request), _checksum(request))
    response = HttpResponse(status=204, headers={"Upload-Offset": str(there)})
    _complete(response, announced, there)
    return response


def _complete(response: HttpResponse, announced: Partial, there: int) -> None:
    """Keep and inspect the file if all of it is there. Also for one whose last answer was lost."""
    if there < announced.size_bytes:
        response["Upload-Expires"] = _expires()
        return
    upload = previews.inspect(partial.finish(settings.MEDIA_ROOT, announced.id))
    response["Upload-Sha256"] = upload.sha256


def _body(request: HttpRequest) -> Iterator[bytes]:
    """A connection that breaks ends it: what came until then is kept."""
    try:
        while chunk := request.read(CHUNK_BYTES):
            yield chunk
    except UnreadablePostError:
        return


def _number(request: HttpRequest, header: str) -> int:
    text = request.headers.get(header, "")
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise TusError(400, _("The header %s must be a whole number.") % header)
    return int(text)


def _checksum(request: HttpRequest) -> Checksum | None:
    given = request.headers.get("Upload-Checksum")
    if given is None:
        return None
    algorithm, _space, digest = given.partition(" ")
    if algorithm not in partial.ALGORITHMS:
        raise TusError(400, _("The checksum must be one of: %s.") % ", ".join(partial.ALGORITHMS))
    return Checksum(algorithm, _decoded(digest))


def _metadata(request: HttpRequest) -> dict[str, str]:
    pairs = (pair.strip() for pair in request.headers.get("Upload-Metadata", "").split(",") if pair.strip())
    return {key: _decoded(value).decode(errors="replace") for key, _space, value in (p.partition(" ") for p in pairs)}


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:  # not base64, or not even ASCII
        raise TusError(400, _("%s is not in base64.") % repr(text)) from None


def _expires() -> str:
    keep = timedelta(days=settings.DEEPFAKE_KEEP_PARTIAL_DAYS)
    return http_date((datetime.now(UTC) + keep).timestamp())
