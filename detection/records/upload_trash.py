"""Removed uploads under media/uploads/.trash: one folder each, brought back as they were as long as they lie there.

`<sha256>/` holds the file and its description; when it changed last is when the file was removed. Both are moved and
nothing is written, so that a disk that is full can be made room on. The file's rename is what counts: a description
that a crash left behind is found where it was.
"""

from __future__ import annotations

import contextlib
import shutil
from dataclasses import dataclass
from pathlib import Path

from detection.records import codec, times, uploads
from detection.records.files import sync_folder
from detection.records.trash import NotInTrash
from detection.records.uploads import SHA256, Upload

FOLDER = ".trash"


@dataclass(frozen=True)
class DeletedUpload:
    """A removed file as it was described before. The time is ISO 8601 in UTC."""

    upload: Upload
    deleted_at: str


def delete_upload(root: Path, sha256: str) -> None:
    """Move a file into the trash; runs over it keep their results, not the video. Raises UploadNotFound."""
    with uploads.changing(root):
        file = uploads.file_path(root, uploads.find_upload(root, sha256))
        place, description = _place(root, sha256), uploads.description_path(root, sha256)
        shutil.rmtree(place, ignore_errors=True)  # the same content, removed before
        place.mkdir(parents=True)
        file.replace(place / file.name)
        with contextlib.suppress(FileNotFoundError):
            description.replace(place / description.name)
        sync_folder(file.parent)


def restore_upload(root: Path, sha256: str) -> Upload:
    """Bring a removed file back. Raises NotInTrash."""
    with uploads.changing(root):
        file, place, description = _file(root, sha256), _place(root, sha256), uploads.description_path(root, sha256)
        if (place / description.name).exists():
            (place / description.name).replace(description)
        file.replace(root / "uploads" / file.name)
        sync_folder(root / "uploads")
        shutil.rmtree(place)
        return uploads.find_upload(root, sha256)


def purge_upload(root: Path, sha256: str) -> None:
    """Remove a removed file for good. Raises NotInTrash."""
    with uploads.changing(root):
        if not _place(root, sha256).is_dir():
            raise _not_there(sha256)
        shutil.rmtree(_place(root, sha256))


def deleted_upload(root: Path, sha256: str) -> DeletedUpload:
    """Raises NotInTrash."""
    file = _file(root, sha256)
    description = uploads.description_path(root, sha256)
    for path in (file.with_name(description.name), description):
        if (upload := codec.read(path, Upload)) is not None:
            return DeletedUpload(upload, deleted_at(root, sha256))
    return DeletedUpload(uploads.undescribed(file, sha256), deleted_at(root, sha256))


def deleted_uploads(root: Path) -> list[DeletedUpload]:
    """All of them, the last removed one first."""
    found = []
    for sha256 in deleted_hashes(root):
        with contextlib.suppress(NotInTrash):
            found.append(deleted_upload(root, sha256))
    return sorted(found, key=lambda each: (each.deleted_at, each.upload.sha256), reverse=True)


def deleted_hashes(root: Path) -> list[str]:
    """The SHA-256 of whatever lies in the trash."""
    folder = root / "uploads" / FOLDER
    return [place.name for place in folder.iterdir() if SHA256.fullmatch(place.name)] if folder.is_dir() else []


def deleted_at(root: Path, sha256: str) -> str:
    """When it was put there. Raises NotInTrash."""
    try:
        changed_s = _place(root, sha256).stat().st_mtime
    except FileNotFoundError:
        raise _not_there(sha256) from None
    return times.stamp_of_s(changed_s)


def _file(root: Path, sha256: str) -> Path:
    """The file itself in the trash. Raises NotInTrash."""
    found = next((path for path in _place(root, sha256).glob(f"{sha256}.*") if path.suffix != ".json"), None)
    if found is None:
        raise _not_there(sha256)
    return found


def _place(root: Path, sha256: str) -> Path:
    if not SHA256.fullmatch(sha256):
        raise _not_there(sha256)
    return root / "uploads" / FOLDER / sha256


def _not_there(sha256: str) -> NotInTrash:
    return NotInTrash(f"There is no removed file {sha256!r}. It was brought back, or its time in the trash is over.")
