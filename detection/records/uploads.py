"""The videos under media/uploads: one copy of each distinct file, and what is known of it beside it.

`<sha256>.<ext>` is the file, `<sha256>.json` its description. The file comes first: one without a description (a crash
came in between) is listed under its own name.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from detection.records import codec, times, totals
from detection.records.files import locked, sync_folder, write_atomic
from detection.records.schema import VideoProperties

SHA256 = re.compile(r"[0-9a-f]{64}")
CHUNK_BYTES = 1024 * 1024


class UploadNotFound(Exception):
    """There is no uploaded file of that hash."""


@dataclass(frozen=True)
class Upload:
    """One uploaded file. `path` is relative to media/; `video` is None until probed, `problem` says what failed."""

    sha256: str
    name: str
    path: str
    size_bytes: int
    uploaded_at: str
    video: VideoProperties | None = None
    problem: str | None = None


def clean_name(name: str) -> str:
    """A file's name as it may be shown and written: without folders and control characters, at most 255 characters."""
    last = re.split(r"[/\\]", name)[-1]
    printable = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in last).strip()
    if len(printable) > 255:
        stem, dot, extension = printable.rpartition(".")
        keep = 255 - len(dot + extension)
        printable = stem[:keep] + dot + extension if 0 < keep < 255 else printable[:255]
    return printable or "unnamed"


def add_stream(root: Path, name: str, chunks: Iterable[bytes]) -> Upload:
    """Keep the bytes of `chunks` as an upload. What was written is removed again when `chunks` raises."""
    incoming = incoming_dir(root) / secrets.token_hex(16)
    try:
        digest = hashlib.sha256()
        with incoming.open("xb") as file:
            for chunk in chunks:
                digest.update(chunk)
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        return _keep(root, incoming, name, digest.hexdigest())
    finally:
        incoming.unlink(missing_ok=True)


def add_incoming(root: Path, path: Path, name: str, sha256: str | None = None) -> Upload:
    """Keep a file that was completed inside `incoming_dir` (a resumable upload); it is moved, not copied.

    `sha256` is what the caller has found it to be already.
    """
    with path.open("rb+") as file:
        digest = sha256 or hashlib.file_digest(file, "sha256").hexdigest()
        os.fsync(file.fileno())
    return _keep(root, path, name, digest)


def incoming_dir(root: Path) -> Path:
    """Where unfinished uploads grow: on the filesystem of the finished ones, so that the last step is a rename."""
    folder = root / "uploads" / ".incoming"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def read_chunks(file: BinaryIO) -> Iterator[bytes]:
    while chunk := file.read(CHUNK_BYTES):
        yield chunk


def find_upload(root: Path, sha256: str) -> Upload:
    """Raises UploadNotFound."""
    if not SHA256.fullmatch(sha256):
        raise UploadNotFound(f"{sha256!r} is not the SHA-256 of an uploaded file.")
    upload = codec.read(description_path(root, sha256), Upload)
    if upload is not None and file_path(root, upload).exists():
        return upload
    # A crash came before the description: the file alone tells.
    file = _file_of(root, sha256)
    if file is None:
        raise UploadNotFound(f"There is no uploaded file with SHA-256 {sha256}.")
    return undescribed(file, sha256)


def file_path(root: Path, upload: Upload) -> Path:
    return root / upload.path


def list_uploads(
    root: Path, *, offset: int = 0, limit: int = 50, without: Container[str] = frozenset()
) -> list[Upload]:
    """The uploads, newest first, but those whose hash is in `without`; only those of the page are read."""
    times = {sha256: came_s for sha256, came_s in changed_s(root).items() if sha256 not in without}
    newest = sorted(times, key=lambda sha256: (times[sha256], sha256), reverse=True)
    page = []
    for sha256 in newest[offset : offset + limit]:
        with contextlib.suppress(UploadNotFound):  # deleted meanwhile
            page.append(find_upload(root, sha256))
    return page


def changed_s(root: Path) -> dict[str, float]:
    """When each file came or was described last, by SHA-256, in seconds since 1970; no file is read for it."""
    times: dict[str, float] = {}
    with contextlib.suppress(FileNotFoundError), os.scandir(root / "uploads") as entries:
        for entry in entries:
            if SHA256.fullmatch(sha256 := entry.name.partition(".")[0]):
                times[sha256] = max(entry.stat().st_mtime, times.get(sha256, 0.0))
    return times


def describe_upload(
    root: Path, sha256: str, *, video: VideoProperties | None = None, problem: str | None = None
) -> Upload:
    """Keep what probing the file gave. Raises UploadNotFound."""
    upload = replace(find_upload(root, sha256), video=video, problem=problem)
    write_atomic(description_path(root, sha256), codec.to_json(upload))
    return upload


@contextlib.contextmanager
def changing(root: Path) -> Iterator[None]:
    """Keep out others who add, delete or bring back a file."""
    (root / "uploads").mkdir(parents=True, exist_ok=True)
    with locked(root / "uploads" / ".lock"):
        yield


def _keep(root: Path, incoming: Path, name: str, sha256: str) -> Upload:
    name = clean_name(name)
    with changing(root):
        file = _file_of(root, sha256)
        if file is not None and file.stat().st_size == incoming.stat().st_size:
            incoming.unlink()
        else:
            file = file or root / "uploads" / f"{sha256}.{_extension(name)}"
            incoming.replace(file)
            sync_folder(file.parent)
        upload = replace(find_upload(root, sha256), name=name, uploaded_at=times.now())
        write_atomic(description_path(root, sha256), codec.to_json(upload))
    totals.count_upload(root, upload.size_bytes)
    return upload


def _extension(name: str) -> str:
    match = re.search(r"\.([A-Za-z0-9]{1,8})$", name)
    extension = match[1].lower() if match else "bin"
    return "bin" if extension == "json" else extension


def _file_of(root: Path, sha256: str) -> Path | None:
    return next((p for p in sorted((root / "uploads").glob(f"{sha256}.*")) if p.suffix != ".json"), None)


def description_path(root: Path, sha256: str) -> Path:
    return root / "uploads" / f"{sha256}.json"


def undescribed(file: Path, sha256: str) -> Upload:
    status = file.stat()
    return Upload(sha256, file.name, f"uploads/{file.name}", status.st_size, times.stamp_of_s(status.st_mtime))
