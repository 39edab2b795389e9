"""The queue as files under media/queue: what waits, what is claimed, what became of it.

A job is one JSON file that moves by rename from `waiting/` to `claimed/` and ends in `finished/`, so it is in exactly
one of them whatever process dies when. File names sort in the order of work: by priority, then by time.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from detection.records import codec
from detection.records.files import is_locked, sync_folder, write_atomic

FINISHED_KEPT = 500

logger = logging.getLogger(__name__)


class QueueUnreachable(Exception):
    """The queue on another machine does not answer."""


@dataclass(frozen=True)
class JobError:
    """An exception's dotted class name and its traceback."""

    exception: str
    traceback: str


@dataclass(frozen=True)
class Job:
    """One call of a task. `file` is its name in the queue's folders, `workers` has an id per attempt."""

    id: str
    file: str
    task: str
    args: list[Any]
    kwargs: dict[str, Any]
    priority: int
    queue: str
    status: Literal["READY", "RUNNING", "FAILED", "SUCCESSFUL"]
    enqueued_at: str
    started_at: str | None = None
    attempted_at: str | None = None
    finished_at: str | None = None
    workers: tuple[str, ...] = ()
    errors: tuple[JobError, ...] = ()
    result: Any = None


def file_name(job_id: str, priority: int) -> str:
    return f"{1000 - priority:04d}-{time.time_ns():020d}-{job_id}.json"


class FileQueue:
    """The queue of one media folder. Several processes may put, one worker at a time takes (it holds `lock`)."""

    def __init__(self, root: Path) -> None:
        self.folder = root / "queue"
        self.lock = self.folder / "worker.lock"
        self._waiting = self.folder / "waiting"
        self._claimed = self.folder / "claimed"
        self._finished = self.folder / "finished"

    def prepare(self) -> None:
        """Make the folders."""
        for folder in (self._waiting, self._claimed, self._finished):
            folder.mkdir(parents=True, exist_ok=True)

    def has_worker(self) -> bool:
        """Whether a living worker serves this queue."""
        return is_locked(self.lock)

    def put(self, job: Job) -> None:
        """Add a job; it is on the disk when this returns."""
        self.prepare()
        write_atomic(self._waiting / job.file, codec.to_json(job))

    def claim(self, worker: str, now: str) -> Job | None:
        """Take the next job, with the attempt counted before it begins."""
        for name in _names(self._waiting):
            try:
                (self._waiting / name).rename(self._claimed / name)
            except FileNotFoundError:
                continue
            job = self._read(self._claimed / name)
            if job is None:
                self._put_aside(self._claimed / name)
                continue
            job = replace(
                job,
                status="RUNNING",
                started_at=job.started_at or now,
                attempted_at=now,
                workers=(*job.workers, worker),
            )
            write_atomic(self._claimed / name, codec.to_json(job))
            return job
        return None

    def release(self, job: Job, *, counted: bool) -> None:
        """Put a claimed job back to where it stood. Without `counted` its last attempt is forgotten."""
        job = replace(job, status="READY", workers=job.workers if counted else job.workers[:-1])
        path = self._claimed / job.file
        write_atomic(path, codec.to_json(job))
        path.rename(self._waiting / job.file)
        sync_folder(self._waiting)

    def finish(self, job: Job) -> None:
        """Keep what became of a claimed job."""
        path = self._claimed / job.file
        write_atomic(path, codec.to_json(job))
        path.rename(self._finished / f"{job.id}.json")
        sync_folder(self._finished)

    def claimed(self) -> list[Job]:
        """The jobs that a worker took and did not end. To the holder of the lock they are those of a dead one."""
        return [job for name in _names(self._claimed) if (job := self._read(self._claimed / name))]

    def pending(self) -> Iterator[Job]:
        """The jobs that are not finished, in the order of work."""
        for folder in (self._claimed, self._waiting):
            for name in _names(folder):
                if job := self._read(folder / name):
                    yield job

    def find(self, job_id: str) -> Job | None:
        """The job of that id wherever it is."""
        for _ in range(2):  # it may move from one folder to the next while this looks
            for folder in (self._waiting, self._claimed, self._finished):
                for name in _names(folder):
                    if name.endswith(f"{job_id}.json") and (job := self._read(folder / name)):
                        return job
        return None

    def prune(self) -> None:
        """Forget all but the latest finished jobs. What they did is in the records, not here."""
        finished = sorted((self._finished / name for name in _names(self._finished)), key=_changed)
        for path in finished[:-FINISHED_KEPT]:
            path.unlink(missing_ok=True)

    @staticmethod
    def _read(path: Path) -> Job | None:
        """None for a file that is gone or cannot be read."""
        try:
            return codec.converter.loads(path.read_bytes(), Job)
        except (FileNotFoundError, ValueError, codec.ValidationError):
            return None

    def _put_aside(self, path: Path) -> None:
        damaged = self.folder / "damaged"
        damaged.mkdir(exist_ok=True)
        path.replace(damaged / path.name)
        logger.error("The queue's file %s cannot be read; it is kept in %s.", path.name, damaged)


def _names(folder: Path) -> list[str]:
    try:
        return sorted(path.name for path in folder.iterdir() if path.suffix == ".json" and path.name[0] != ".")
    except FileNotFoundError:
        return []


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0
