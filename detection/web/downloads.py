"""Files that a person takes away: what they are called, and tables that a spreadsheet opens safely."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import PurePath
from typing import Any

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.http import content_disposition_header

MAX_STEM = 80  # letters: file systems allow 255 bytes, and a Chinese letter has three
NOT_IN_NAMES = re.compile(r"""[\x00-\x1f\x7f-\x9f<>:"/\\|?*\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]+""")
# A spreadsheet takes what begins so for a formula, and may run it.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
BOM = "\ufeff"  # without it Excel takes UTF-8 for the letters of its own country


def stem_of(video_name: str) -> str:
    """The video's name without its ending, fit for a file's name on any system."""
    stem = NOT_IN_NAMES.sub("_", PurePath(video_name).stem)[:MAX_STEM].strip(" .")
    return stem or "video"


def download(content: bytes, content_type: str, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type=content_type)
    response["Content-Disposition"] = content_disposition_header(True, name)
    response["Cache-Control"] = "private, no-store"
    return response


def csv_download(name: str, head: Iterable[str], rows: Iterable[Iterable[Any]]) -> HttpResponseBase:
    """A table, written while it is sent; its rows may be many."""
    response = StreamingHttpResponse(csv_lines(head, rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = content_disposition_header(True, name)
    response["Cache-Control"] = "private, no-store"
    return response


def csv_lines(head: Iterable[str], rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    line = io.StringIO()
    writer = csv.writer(line)
    line.write(BOM)
    for row in chain([head], rows):
        writer.writerow([as_data(cell) for cell in row])
        yield line.getvalue()
        line.seek(0)
        line.truncate()


def as_data(cell: Any) -> Any:
    """`cell` so that no spreadsheet takes a text for a formula; numbers stay as they are."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell
