from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from detection.vision.prefetch import ahead


def test_everything_comes_in_order() -> None:
    assert list(ahead(range(100), 3)) == list(range(100))
    assert list(ahead([], 1)) == []


def test_it_runs_ahead_by_no_more_than_its_depth() -> None:
    taken = []

    def items() -> Iterator[int]:
        for i in range(50):
            taken.append(i)
            yield i

    for item in ahead(items(), 3):
        time.sleep(0.002)
        # three wait in the queue, one in the thread's hand, one is here
        assert len(taken) <= item + 5


def test_a_fault_of_the_producer_is_raised_to_the_consumer() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ZeroDivisionError("inside")

    source = ahead(items(), 2)
    assert next(source) == 1
    with pytest.raises(ZeroDivisionError, match="inside"):
        next(source)


def test_leaving_early_ends_the_thread_and_closes_the_source() -> None:
    closed = threading.Event()

    def items() -> Iterator[int]:
        try:
            while True:
                yield 0
        finally:
            closed.set()

    source = ahead(items(), 2)
    next(source)
    source.close()
    assert closed.is_set()
    assert not [t for t in threading.enumerate() if t.name == "ahead" and t.is_alive()]
