"""What runs, follow-ups and evaluations have in common: nobody changes one between another's look and its act."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from detection.records import evaluations, followups, lifecycle, store
from detection.records.schema import RunState
from tests.records import make

ID = "0123456789abcdef01234567"
HELD_UP_S = 0.3  # how long the quicker one may take before it counts as kept waiting by the lock


@dataclass(frozen=True)
class Kind:
    """One piece of work that waits, and what can be done with it."""

    load: Callable[[], Any]
    begin: Callable[[], Any]
    finish: Callable[[RunState], Any]
    cancel: Callable[[], Any]
    cancel_requested: Callable[[], bool]
    queue_again: Callable[[], Any]
    is_marked: Callable[[], bool]


def run(root: Path) -> Kind:
    run_id = make.queued_run(root).id
    life = store.life_of(root, run_id)
    again = partial(store.requeue_run, root, run_id)
    return _kind(life, life.begin, life.finish, again, lambda: run_id in store.active_ids(root))


def followup(root: Path) -> Kind:
    run_id = make.finished_run(root).id
    ask = partial(followups.request, root, run_id, ID, "relight", {})
    ask()
    life, finish = followups.life_of(root, run_id, ID), partial(followups.finish, root, run_id, ID)
    return _kind(life, life.begin, finish, ask, lambda: (run_id, ID) in followups.active(root))


def evaluation(root: Path) -> Kind:
    clip = evaluations.EvaluatedClip("uploads/a.mp4", "a.mp4", "fake")
    made = evaluations.create(root, "mine", ("space",), (clip,)).id
    begin, finish, reopen = (
        partial(function, root, made) for function in (evaluations.begin, evaluations.finish, evaluations.reopen)
    )
    return _kind(evaluations.life_of(root, made), begin, finish, reopen, lambda: True)


def _kind(
    life: lifecycle.Lifecycle[Any],
    begin: Callable[[], Any],
    finish: Callable[[RunState], Any],
    queue_again: Callable[[], Any],
    is_marked: Callable[[], bool],
) -> Kind:
    return Kind(life.load, begin, finish, life.cancel, life.cancel_requested, queue_again, is_marked)


@pytest.fixture(params=[run, followup, evaluation], ids=lambda make: make.__name__)
def work(request: pytest.FixtureRequest, tmp_path: Path) -> Kind:
    return request.param(tmp_path)


class Quicker:
    """Lets another thread act once, before or after `method` of Path is called on a file of that name."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, act: Callable[[], object], *, when: str, method: str, name: str
    ) -> None:
        self._thread = threading.Thread(target=act)
        self._name = name
        called = getattr(Path, method)

        def calling(path: Path, *args: Any, **options: Any) -> Any:
            if when == "before":
                self._let(path)
            result = called(path, *args, **options)
            if when == "after":
                self._let(path)
            return result

        monkeypatch.setattr(Path, method, calling)

    def _let(self, path: Path) -> None:
        if path.name == self._name and self._thread.ident is None:
            self._thread.start()
            self._thread.join(HELD_UP_S)

    def wait(self) -> None:
        self._thread.join()


def test_what_begins_while_it_is_cancelled_is_stopped(work: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = []
    quicker = Quicker(
        monkeypatch, lambda: begun.append(work.begin()), when="after", method="read_bytes", name=lifecycle.RECORD
    )
    work.cancel()
    quicker.wait()
    stops = (RunState.CANCELLED, False) if begun[0].state is RunState.CANCELLED else (RunState.RUNNING, True)
    assert (work.load().state, work.cancel_requested()) == stops


def test_what_ends_while_it_is_cancelled_keeps_no_mark_of_it(work: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    work.begin()
    quicker = Quicker(
        monkeypatch, lambda: work.finish(RunState.FAILED), when="after", method="read_bytes", name=lifecycle.RECORD
    )
    work.cancel()
    quicker.wait()
    assert (work.load().state, work.cancel_requested()) == (RunState.FAILED, False)


def test_the_end_of_an_attempt_takes_nothing_from_the_next_one(work: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    def try_again_and_cancel() -> None:
        work.queue_again()
        work.begin()
        work.cancel()

    work.begin()
    quicker = Quicker(monkeypatch, try_again_and_cancel, when="before", method="unlink", name=lifecycle.CANCEL)
    work.finish(RunState.FAILED)
    quicker.wait()
    assert (work.load().state, work.cancel_requested(), work.is_marked()) == (RunState.RUNNING, True, True)


def test_a_cancellation_is_not_that_of_the_next_attempt(work: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    """A crash between the record of the end and the mark of the cancellation leaves the mark."""
    work.begin()
    work.cancel()
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", lambda *_, **__: (_ for _ in ()).throw(OSError("Input/output error")))
        with pytest.raises(OSError, match="Input"):
            work.finish(RunState.FAILED)
    assert (work.load().state, work.cancel_requested()) == (RunState.FAILED, True)
    work.queue_again()
    assert (work.load().state, work.cancel_requested()) == (RunState.QUEUED, False)
