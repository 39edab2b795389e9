"""Runs that were started together: followed, cancelled and tried again as one."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from detection.jobs.runs import NotRetryable, active, cancel, media_root, retry
from detection.records import query, store
from detection.records.codec import RecordError
from detection.records.rows import HistoryRow
from detection.records.schema import RunRecord, RunState, Verdict


class BatchNotFound(Exception):
    """No run that is there was started in that batch."""


@dataclass(frozen=True)
class Batch:
    """The runs of one start: the unfinished ones in the order of the queue, and the finished ones, newest first."""

    id: str
    active: tuple[RunRecord, ...]
    finished: tuple[HistoryRow, ...]

    @property
    def started_at(self) -> str:
        """ISO 8601 in UTC."""
        return store.batch_time(self.id)

    @property
    def total(self) -> int:
        return len(self.active) + len(self.finished)

    @property
    def is_finished(self) -> bool:
        return not self.active

    @property
    def states(self) -> Counter[RunState]:
        return Counter([run.state for run in self.active] + [row.state for row in self.finished])

    @property
    def verdicts(self) -> Counter[Verdict]:
        """Of the runs that were analysed."""
        return Counter(row.verdict for row in self.finished if row.state is RunState.DONE)

    @property
    def names(self) -> list[str]:
        """The videos' names in the order in which they were started."""
        named = [(run.id, run.video_name) for run in self.active] + [(row.id, row.video_name) for row in self.finished]
        return [name for _, name in sorted(named)]


def find(batch_id: str) -> Batch:
    """Raises BatchNotFound."""
    found = _batch(batch_id, active())
    if not found.total:
        raise BatchNotFound(f"There is no batch {batch_id!r}. Its runs may have been deleted.")
    return found


def page(*, offset: int = 0, limit: int = 25) -> tuple[list[Batch], int]:
    """The batches, newest first, and how many there are in all."""
    unfinished = active()
    ids = set(query.history(media_root()).batch_ids()) | {run.batch for run in unfinished if run.batch}
    newest = sorted(ids, reverse=True)
    return [_batch(batch_id, unfinished) for batch_id in newest[offset : offset + limit]], len(newest)


def cancel_all(batch_id: str) -> int:
    """Cancel what is not finished, the last in the queue first, so that none begins meanwhile; how many there were."""
    unfinished = find(batch_id).active
    for run in reversed(unfinished):
        with contextlib.suppress(store.RunNotFound):
            cancel(run.id)
    return len(unfinished)


def retry_all(batch_id: str, states: Collection[RunState] = (RunState.FAILED,)) -> list[str]:
    """Queue the runs of these states again, in the order in which they were started; the ids of those that can be."""
    retried = []
    for row in sorted(find(batch_id).finished, key=lambda row: row.id):
        if row.state in states:
            # The video is gone, somebody was quicker, or the record is damaged.
            with contextlib.suppress(NotRetryable, store.RunNotFound, RecordError):
                retried.append(retry(row.id).id)
    return retried


def _batch(batch_id: str, unfinished: Iterable[RunRecord]) -> Batch:
    of_batch = tuple(run for run in unfinished if run.batch == batch_id)
    known = {run.id for run in of_batch}  # a run that is just being queued again may still be in the log
    rows = query.history(media_root()).of_batch(batch_id)
    return Batch(batch_id, of_batch, tuple(row for row in rows if row.id not in known))
