"""The life of what is recorded in a folder of its own: it waits, is worked on, and ends exactly once.

`record.json` is the truth; whoever changes it holds `.lock`. Whoever works on it holds `.holder` as long as the process
lives, and looks whether there is a `.cancel`. Of most kinds an empty mark elsewhere says that one is not finished: it
is set before the record exists and removed after all that follows from the end is written, so whatever a crash leaves
behind is found again by looking at the marks alone (see `detection.jobs.recovery`).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from detection.records import codec, times
from detection.records.files import age_s, is_locked, locked, sync_folder, write_atomic
from detection.records.schema import RunState

RECORD, PROGRESS, LOCK, HOLDER, CANCEL = "record.json", "progress.json", ".lock", ".holder", ".cancel"
HELD_WITHIN_S = 0.5  # somebody may be looking whether it is held


class Record(Protocol):
    """A frozen dataclass that also has `finished_at`."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def state(self) -> RunState: ...


class CountedRecord(Record, Protocol):
    """Of a kind that counts its attempts; it also has `started_at`."""

    @property
    def attempts(self) -> int: ...


R = TypeVar("R", bound=Record)
C = TypeVar("C", bound=CountedRecord)


def _nothing(record: Record, is_new: bool) -> None:
    """Nothing else follows from its end."""


@dataclass(frozen=True)
class Lifecycle(Generic[R]):
    """One run, follow-up or evaluation. Every method may raise `missing`, and RecordError with `way_out` in it.

    `parse` reads a record; `mark` is where one is marked unfinished, None for a kind that has no marks. `conclude`
    writes what follows from the end; after a crash that happens again, with `is_new` False.
    """

    folder: Path
    parse: Callable[[bytes], R]
    missing: Exception
    way_out: str
    mark: Path | None = None
    conclude: Callable[[R, bool], None] = _nothing

    def load(self) -> R:
        path = self.folder / RECORD
        try:
            return self.parse(path.read_bytes())
        except (FileNotFoundError, NotADirectoryError):
            raise self.missing from None
        except codec.RecordVersionError as error:
            raise codec.RecordVersionError(f"{path} cannot be read: {error}") from error
        except codec.RecordError as error:
            raise codec.RecordError(f"{path} cannot be read: {error}. {self.way_out}") from error

    def save(self, record: R) -> None:
        """Replace the record on disk. To change one that others may change too, use `change`."""
        write_atomic(self.folder / RECORD, codec.to_json(record))

    @contextlib.contextmanager
    def locked(self) -> Iterator[R]:
        """The record as it is on disk while nobody else changes it."""
        with lock_of(self.folder, self.missing):
            yield self.load()

    def change(self, change: Callable[[R], R]) -> R:
        """Apply `change` while nobody else changes it; what is there now. Not for ending it or queueing it again."""
        with self.locked() as before:
            after = change(before)
            if after != before:
                self.save(after)
            return after

    def advance(self, change: Callable[[R], R]) -> R:
        """The same, but one that has ended stays as it ended."""
        return self.change(lambda now: now if now.state.is_final else change(now))

    def admit(self, record: R) -> None:
        """Record one that is unfinished from now on, new or once more. The caller holds the lock or made the id."""
        self.set_mark()
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / CANCEL).unlink(missing_ok=True)  # it was the last attempt's
        self.save(record)
        sync_folder(self.folder.parent)

    def finish(self, state: RunState, **found: Any) -> R:
        """End it with what was `found` in the fields of those names. One that has ended stays as it ended."""
        if not state.is_final:
            raise ValueError(f"{state} does not end anything")
        with self.locked() as record:
            return self._finish(record, state, found)

    def cancel(self) -> R:
        """End a waiting one at once; ask whoever works on a running one to stop. Others stay."""
        with self.locked() as record:
            if record.state is RunState.QUEUED:
                return self._finish(record, RunState.CANCELLED, {})
            if record.state is RunState.RUNNING:
                (self.folder / CANCEL).touch()
            return record

    def cancel_requested(self) -> bool:
        """Whether the running one was cancelled; who works on it looks with every step of progress."""
        return (self.folder / CANCEL).exists()

    def _finish(self, before: R, state: RunState, found: dict[str, Any]) -> R:
        is_new, after = not before.state.is_final, before
        if is_new:
            after = replace(before, state=state, finished_at=times.now(), **found)
            self.save(after)
        elif self.mark is None or not self.mark.exists():
            return before
        self.conclude(after, is_new)
        (self.folder / CANCEL).unlink(missing_ok=True)
        self.unmark()
        return after

    @contextlib.contextmanager
    def holding(self) -> Iterator[None]:
        """Show while this process lives that it works on it. Raises BlockingIOError if another one does."""
        with locked(self.folder / HOLDER, within_s=HELD_WITHIN_S):
            yield

    def is_held(self) -> bool:
        """Whether a living process works on it."""
        return is_locked(self.folder / HOLDER)

    def set_mark(self) -> None:
        """Mark that it is being made, changed or moved; recovery looks at what carries a mark."""
        if self.mark is not None:
            self.mark.parent.mkdir(parents=True, exist_ok=True)
            self.mark.touch()
            sync_folder(self.mark.parent)

    def unmark(self) -> None:
        """Take the mark away: the record and all that follows from it agree, or there is none."""
        if self.mark is not None:
            self.mark.unlink(missing_ok=True)

    def untouched_for_s(self) -> float:
        """How long ago it was marked unfinished, or without marks its record written; 0 if that is not there."""
        try:
            return age_s((self.mark or self.folder / RECORD).stat().st_mtime)
        except FileNotFoundError:
            return 0.0


class CountedLifecycle(Lifecycle[C]):
    """One whose attempts are counted: a run or a follow-up."""

    def begin(self) -> C:
        """Count an attempt, unless it has ended."""

        def begun(now: C) -> C:
            return replace(now, state=RunState.RUNNING, started_at=times.now(), attempts=now.attempts + 1)

        return self.advance(begun)

    def put_back(self) -> C:
        """An interrupted one waits again, at its place in the queue, and the attempt does not count."""

        def back(now: C) -> C:
            if now.state is not RunState.RUNNING:
                return now
            return replace(now, state=RunState.QUEUED, started_at=None, attempts=max(now.attempts - 1, 0))

        return self.advance(back)


@contextlib.contextmanager
def lock_of(folder: Path, missing: Exception) -> Iterator[None]:
    """Hold the lock of what is recorded in `folder`. Raises `missing` if it is not there, or was moved meanwhile."""
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(locked(folder / LOCK))
        except (FileNotFoundError, NotADirectoryError):
            raise missing from None
        if not folder.is_dir():
            raise missing
        yield
