"""Files sent as one ZIP archive that is written while it is sent: nothing is kept on disk or in memory."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header

Entry = tuple[str, Path | bytes]  # what it is called in the archive, and the file or its content


def stored_zip(name: str, entries: Iterable[Entry]) -> StreamingHttpResponse:
    """Not compressed again: pictures and videos are."""
    response = StreamingHttpResponse(_pieces(entries), content_type="application/zip")
    response["Content-Disposition"] = content_disposition_header(True, name)
    return response


def _pieces(entries: Iterable[Entry]) -> Iterator[bytes]:
    written = _Written()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_STORED) as archive:
        for name, content in entries:
            if isinstance(content, Path):
                archive.write(content, name)
            else:
                archive.writestr(name, content)
            yield written.taken()
    yield written.taken()


class _Written(io.RawIOBase):
    """What a ZipFile, which believes to write to a pipe, has written since it was last taken."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self._pieces.append(bytes(data))
        return len(data)

    def taken(self) -> bytes:
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)
