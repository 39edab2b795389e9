"""Uploads that are not finished: files that grow piece by piece under media/uploads/.incoming, and survive a restart.

`<id>/part` holds the bytes so far (its size is the offset to go on from), `<id>/info.json` what it will be, and
`<id>/lock` is held while somebody appends. A finished one leaves `info.json` with its SHA-256 behind until it expires,
so that a client who missed the last answer can ask what became of it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from detection.records import codec, times
from detection.records.files import locked, sync_folder, write_atomic
from detection.records.uploads import Upload, add_incoming, clean_name, find_upload, incoming_dir

ID = re.compile(r"[0-9a-f]{32}")
PART, INFO, LOCK = "part", "info.json", "lock"
ALGORITHMS = ("sha1", "sha256")  # sha1 is the one that tus demands
LOCK_WITHIN_S = 0.5


class PartialNotFound(Exception):
    """There is no unfinished upload of that id: it never was, was given up, or has expired."""


class PartialBusy(Exception):
    """Somebody else appends to it right now."""


class OffsetConflict(Exception):
    """The bytes do not follow those that are there; `offset` is where to go on."""

    def __init__(self, offset: int) -> None:
        super().__init__(f"The next byte must be number {offset}.")
        self.offset = offset


class TooManyBytes(Exception):
    """More came than was announced; none of it was kept."""


class ChecksumMismatch(Exception):
    """What came is not what was sent; none of it was kept."""


@dataclass(frozen=True)
class Checksum:
    """Of the bytes that are appended in one go. `algorithm` is one of ALGORITHMS."""

    algorithm: str
    digest: bytes


@dataclass(frozen=True)
class Partial:
    """An announced upload. `sha256` is None until all of it is there and kept."""

    id: str
    name: str
    size_bytes: int
    created_at: str
    sha256: str | None = None


def create(root: Path, name: str, size_bytes: int) -> Partial:
    """Announce an upload of `size_bytes`."""
    partial = Partial(secrets.token_hex(16), clean_name(name), size_bytes, times.now())
    folder = incoming_dir(root) / partial.id
    folder.mkdir()
    (folder / PART).touch()
    _save(root, partial)
    sync_folder(folder.parent)
    return partial


def find(root: Path, partial_id: str) -> Partial:
    """Raises PartialNotFound."""
    partial = codec.read(_folder(root, partial_id) / INFO, Partial)
    if partial is None:
        raise _not_found(partial_id)
    return partial


def offset(root: Path, partial: Partial) -> int:
    """How many bytes are there. Raises PartialNotFound."""
    if partial.sha256 is not None:
        return partial.size_bytes
    try:
        return (_folder(root, partial.id) / PART).stat().st_size
    except FileNotFoundError:
        raise _not_found(partial.id) from None


def append(root: Path, partial_id: str, at: int, chunks: Iterable[bytes], checksum: Checksum | None = None) -> int:
    """Add bytes from offset `at` on; how many there are then. They are on the disk when this returns.

    When `chunks` raises or ends early, what came is kept (with a checksum nothing: it could not be verified).
    Raises PartialNotFound, PartialBusy, OffsetConflict, TooManyBytes, ChecksumMismatch, OSError.
    """
    folder = _folder(root, partial_id)
    with _held(folder):
        partial = find(root, partial_id)
        there = offset(root, partial)
        if at != there or partial.sha256 is not None:
            raise OffsetConflict(there)
        with (folder / PART).open("r+b", buffering=0) as file:
            file.seek(at)
            try:
                _write(file, chunks, partial.size_bytes, checksum)
            except (TooManyBytes, ChecksumMismatch):
                file.truncate(at)
                raise
            except BaseException:
                if checksum:
                    file.truncate(at)
                raise
            finally:
                os.fsync(file.fileno())
            return file.tell()


def finish(root: Path, partial_id: str) -> Upload:
    """Keep an upload of which all bytes are there; the same answer however often it is asked for.

    Raises PartialNotFound, PartialBusy, OffsetConflict (bytes are missing), UploadNotFound (it was deleted since).
    """
    folder = _folder(root, partial_id)
    with _held(folder):
        partial = find(root, partial_id)
        there = offset(root, partial)
        if there != partial.size_bytes:
            raise OffsetConflict(there)
        part = folder / PART
        if partial.sha256 is None:
            with part.open("rb") as file:
                partial = replace(partial, sha256=hashlib.file_digest(file, "sha256").hexdigest())
            _save(root, partial)  # before the file is moved: whatever happens then, its hash leads to it
        assert partial.sha256 is not None
        if part.exists():
            return add_incoming(root, part, partial.name, partial.sha256)
        return find_upload(root, partial.sha256)


def remove(root: Path, partial_id: str) -> None:
    """Give an upload up. Raises PartialNotFound, PartialBusy."""
    folder = _folder(root, partial_id)
    with _held(folder):
        shutil.rmtree(folder)


def unfinished(root: Path) -> list[Partial]:
    """The uploads of which bytes are missing, oldest first."""
    found = []
    for folder in incoming_dir(root).iterdir():
        try:
            partial = find(root, folder.name)
        except PartialNotFound:
            continue
        if partial.sha256 is None:
            found.append(partial)
    return sorted(found, key=lambda partial: (partial.created_at, partial.id))


def remove_abandoned(root: Path, unchanged_for_s: float) -> int:
    """Remove what nobody has added to for so long, also what a killed process left; how many there were."""
    before_s = time.time() - unchanged_for_s
    removed = 0
    for entry in incoming_dir(root).iterdir():
        try:
            if _changed_s(entry) >= before_s:
                continue
            if entry.is_dir():
                with _held(entry):
                    shutil.rmtree(entry)
            else:
                entry.unlink()
            removed += 1
        except (FileNotFoundError, PartialNotFound, PartialBusy):
            continue  # somebody else was quicker, or goes on with it just now
    return removed


@contextlib.contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Keep others from changing it. Raises PartialNotFound, PartialBusy."""
    try:
        with locked(folder / LOCK, within_s=LOCK_WITHIN_S):
            yield
    except (FileNotFoundError, NotADirectoryError):
        raise _not_found(folder.name) from None
    except BlockingIOError:
        raise PartialBusy("Another connection is sending this file. Try again in a moment.") from None


def _write(file: BinaryIO, chunks: Iterable[bytes], end: int, checksum: Checksum | None) -> None:
    digest = hashlib.new(checksum.algorithm) if checksum else None
    for chunk in chunks:
        if file.tell() + len(chunk) > end:
            raise TooManyBytes(f"The upload was announced with {end} bytes; more came.")
        if digest:
            digest.update(chunk)
        rest = memoryview(chunk)
        while rest:
            rest = rest[file.write(rest) :]
    if checksum and digest and digest.digest() != checksum.digest:
        raise ChecksumMismatch(f"The {checksum.algorithm} of what came is not the one that was announced.")


def _folder(root: Path, partial_id: str) -> Path:
    if not ID.fullmatch(partial_id):
        raise _not_found(partial_id)
    return incoming_dir(root) / partial_id


def _changed_s(entry: Path) -> float:
    parts = [entry / PART, entry / INFO] if entry.is_dir() else [entry]
    return max((part.stat().st_mtime for part in parts if part.exists()), default=entry.stat().st_mtime)


def _save(root: Path, partial: Partial) -> None:
    write_atomic(_folder(root, partial.id) / INFO, codec.to_json(partial))


def _not_found(partial_id: str) -> PartialNotFound:
    return PartialNotFound(f"There is no unfinished upload {partial_id!r}. It may have expired: upload the file anew.")
