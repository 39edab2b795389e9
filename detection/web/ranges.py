"""Files sent in parts (RFC 9110, section 14), which players need to seek and Django's FileResponse cannot do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.http import http_date, parse_etags, parse_http_date_safe

BLOCK_BYTES = 256 * 1024
RANGE = re.compile(r"bytes=(\d*)-(\d*)", re.ASCII)


class Unsatisfiable(Exception):
    """The range begins behind the end of the file."""


@dataclass(frozen=True)
class ByteRange:
    """From `first` to `last`, both included."""

    first: int
    last: int

    def __len__(self) -> int:
        return self.last - self.first + 1


def parse_range(header: str, size: int) -> ByteRange | None:
    """The part that a Range header asks for; None for the whole, also where several parts are asked for.

    Raises Unsatisfiable.
    """
    match = RANGE.fullmatch(header.strip())
    if not match or not (match[1] or match[2]):
        return None
    if not match[1]:  # the last n bytes
        length = min(int(match[2]), size)
        if length == 0:
            raise Unsatisfiable
        return ByteRange(size - length, size - 1)
    first = int(match[1])
    last = min(int(match[2]), size - 1) if match[2] else size - 1
    if first >= size:
        raise Unsatisfiable
    return None if first > last else ByteRange(first, last)


def file_response(request: HttpRequest, path: Path, content_type: str) -> HttpResponseBase:
    """`path` or the part of it that the request asks for. Raises FileNotFoundError."""
    status = path.stat()
    etag = f'"{status.st_mtime_ns:x}-{status.st_size:x}"'
    response = _not_modified(request, etag) or _content(request, path, status.st_size, content_type, etag)
    response["ETag"] = etag
    response["Last-Modified"] = http_date(status.st_mtime)
    response["Cache-Control"] = "private, max-age=0, must-revalidate"
    return response


def _content(request: HttpRequest, path: Path, size: int, content_type: str, etag: str) -> HttpResponseBase:
    response: HttpResponseBase
    try:
        part = _wanted_part(request, path, size, etag)
    except Unsatisfiable:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}", "Accept-Ranges": "bytes"})
    length = size if part is None else len(part)
    if request.method == "HEAD":
        response = HttpResponse(content_type=content_type)
    elif part is None:
        response = FileResponse(path.open("rb"), content_type=content_type)
        del response["Content-Disposition"]  # its name would go before the one that a page's link gives a download
    else:
        response = StreamingHttpResponse(_read(path, part), content_type=content_type)
    if part is not None:
        response.status_code = 206
        response["Content-Range"] = f"bytes {part.first}-{part.last}/{size}"
    response["Content-Length"] = str(length)
    response["Accept-Ranges"] = "bytes"
    return response


def _wanted_part(request: HttpRequest, path: Path, size: int, etag: str) -> ByteRange | None:
    header = request.headers.get("Range", "")
    condition = request.headers.get("If-Range")
    if not header or (condition and not _is_current(condition, path, etag)):
        return None
    return parse_range(header, size)


def _is_current(condition: str, path: Path, etag: str) -> bool:
    """Whether If-Range names the file as it is now: by its strong tag, or by its exact date."""
    if condition.startswith(('"', "W/")):
        return condition == etag
    return parse_http_date_safe(condition) == int(path.stat().st_mtime)


def _not_modified(request: HttpRequest, etag: str) -> HttpResponse | None:
    tags = parse_etags(request.headers.get("If-None-Match", ""))
    known = {tag.removeprefix("W/") for tag in tags}
    return HttpResponse(status=304) if etag in known or "*" in known else None


def _read(path: Path, part: ByteRange) -> Iterator[bytes]:
    left = len(part)
    with path.open("rb") as file:
        file.seek(part.first)
        while left and (block := file.read(min(BLOCK_BYTES, left))):
            left -= len(block)
            yield block
