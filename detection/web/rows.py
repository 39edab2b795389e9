"""Rows of the upload page: a file, and what was last made of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings

from detection import jobs
from detection.records import labelled, query, trash, uploads
from detection.records.rows import HistoryRow
from detection.records.schema import RunRecord
from detection.records.uploads import Upload


@dataclass(frozen=True)
class UploadRow:
    """An uploaded file with its unfinished run, or else its latest finished one.

    `was_deleted`: it has neither any more, but one lies in the trash.
    """

    upload: Upload
    active: RunRecord | None
    latest: HistoryRow | None
    was_deleted: bool = False

    @property
    def can_start(self) -> bool:
        return self.active is None and self.upload.problem is None

    @property
    def is_new(self) -> bool:
        """Chosen for the next start unless a person says otherwise."""
        return self.can_start and self.latest is None and not self.was_deleted


def upload_rows(*, offset: int = 0, limit: int = 50) -> list[UploadRow]:
    """The uploads, newest first; those that lie in the lists of the evaluation are shown there."""
    apart = labelled.sha256s(settings.MEDIA_ROOT)
    return _with_runs(uploads.list_uploads(settings.MEDIA_ROOT, offset=offset, limit=limit, without=apart))


def upload_row(upload: Upload) -> UploadRow:
    return _with_runs([upload])[0]


def _with_runs(files: list[Upload]) -> list[UploadRow]:
    wanted = {upload.sha256 for upload in files}
    active = {run.sha256: run for run in jobs.active()}
    latest = _latest_finished(wanted)
    without = wanted - active.keys() - latest.keys()
    deleted = {run.sha256 for run in trash.deleted_runs(settings.MEDIA_ROOT)} if without else set()
    return [
        UploadRow(
            upload,
            active.get(upload.sha256),
            latest.get(upload.sha256),
            was_deleted=upload.sha256 in without & deleted,
        )
        for upload in files
    ]


def _latest_finished(sha256s: Iterable[str]) -> dict[str, HistoryRow]:
    """The newest finished run of each file, in one pass over the history."""
    missing = set(sha256s)
    found: dict[str, HistoryRow] = {}
    for row in query.history(settings.MEDIA_ROOT).rows() if missing else ():
        if row.sha256 in missing:
            found[row.sha256] = row
            missing.discard(row.sha256)
            if not missing:
                break
    return found
