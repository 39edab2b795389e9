"""Uploads on their way in: streamed to the media file system, hashed as they come, never whole in memory."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.http import HttpRequest, UnreadablePostError
from django.utils.translation import gettext as _

from detection.records import uploads
from detection.records.uploads import Upload
from detection.web import disk, quota

CHUNK_BYTES = 1024 * 1024
MB = 1024 * 1024


class UploadRefused(Exception):
    """The file was not kept; the message says why, `status` is the HTTP status."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


def receive_body(request: HttpRequest, name: str) -> Upload:
    """Keep the request's body as the file `name`. Raises UploadRefused, and then nothing of it is left."""
    length = request.headers.get("Content-Length") or "0"
    if "Transfer-Encoding" in request.headers or not (length.isascii() and length.isdigit()):
        raise UploadRefused(_("The length of the file is missing (Content-Length)."), 411)
    expected = int(length)
    refuse_if_too_large(expected)
    return uploads.add_stream(settings.MEDIA_ROOT, name, _body(request, expected))


def receive_form_file(file: UploadedFile[Any]) -> Upload:
    """Keep a file of a form, for browsers without script. Raises UploadRefused."""
    refuse_if_too_large(file.size or 0)
    return uploads.add_stream(settings.MEDIA_ROOT, file.name or "", file.chunks(CHUNK_BYTES))


def refuse_if_too_large(size_bytes: int) -> None:
    limit = settings.DEEPFAKE_MAX_UPLOAD_MB * MB
    if size_bytes > limit:
        raise UploadRefused(too_large(), 413)
    if size_bytes == 0:
        raise UploadRefused(_("The file is empty. Copy it again from where it came from."), 400)
    reserve = settings.DEEPFAKE_MIN_FREE_MB * MB  # results that are on their way need room, too
    if size_bytes > shutil.disk_usage(uploads.incoming_dir(settings.MEDIA_ROOT)).free - reserve:
        raise UploadRefused(disk.full(), 507)
    if (reason := quota.exceeded(size_bytes)) is not None:
        raise UploadRefused(reason, 507)


def too_large() -> str:
    message = _("The file is too large: this installation takes up to %(limit)d MB (DEEPFAKE_MAX_UPLOAD_MB).")
    return message % {"limit": settings.DEEPFAKE_MAX_UPLOAD_MB}


def _body(request: HttpRequest, expected: int) -> Iterator[bytes]:
    received = 0
    try:
        while chunk := request.read(CHUNK_BYTES):
            received += len(chunk)
            yield chunk
    except UnreadablePostError:
        pass  # told apart from a whole file by its length, below
    if received != expected:
        raise UploadRefused(_("The connection broke before the file was complete. Upload it again."), 400)


class LimitedUploadHandler(TemporaryFileUploadHandler):
    """The files of a form go straight to disk; a form that is too large is not read at all."""

    def handle_raw_input(self, input_data: Any, META: Any, content_length: int, *args: Any, **kwargs: Any) -> None:
        if content_length > settings.DEEPFAKE_MAX_UPLOAD_MB * MB:
            raise RequestDataTooBig
