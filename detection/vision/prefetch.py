"""Work ahead in a thread, so that decoding overlaps with inference, by a fixed number of items."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import suppress
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import TypeVar

T = TypeVar("T")

_POLL_S = 0.1


class _Failure:
    def __init__(self, error: BaseException) -> None:
        self.error = error


_END = object()


def ahead(items: Iterable[T], depth: int) -> Generator[T]:
    """Yields `items`, taken by a thread that is at most `depth` of them ahead.

    An exception in `items` is raised here. Closing the generator early ends the thread before it returns.
    """
    queue: Queue[object] = Queue(maxsize=depth)
    stopped = Event()

    def put(item: object) -> bool:
        while not stopped.is_set():
            with suppress(Full):
                queue.put(item, timeout=_POLL_S)
                return True
        return False

    def work() -> None:
        iterator = iter(items)
        try:
            for item in iterator:
                if not put(item):
                    break
            else:
                put(_END)
        except BaseException as error:  # handed to the consumer, whatever it is
            put(_Failure(error))
        finally:
            close = getattr(iterator, "close", None)
            if close is not None:
                close()  # in the thread that ran it: the file is closed by who opened it

    thread = Thread(target=work, name="ahead", daemon=True)
    thread.start()
    try:
        while (item := queue.get()) is not _END:
            if isinstance(item, _Failure):
                raise item.error
            yield item  # type: ignore[misc]
            del item  # a frame the consumer is done with must not stay alive here
    finally:
        stopped.set()
        with suppress(Empty):
            while True:
                queue.get_nowait()
        thread.join()
