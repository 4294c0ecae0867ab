"""An iterator read ahead of whoever uses it, so that a slow user does not hold it back."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from worker.guard import closed

T = TypeVar("T")


@dataclass(frozen=True)
class _End:
    error: BaseException | None


class Ahead(Generic[T]):
    """Takes the items in a thread of its own, as fast as they come; hands them on in order, then raises the error
    that ended them. `close` returns when the thread has ended."""

    def __init__(self, source: Iterator[T], name: str) -> None:
        self._source = source
        self._items: queue.SimpleQueue[T | _End] = queue.SimpleQueue()
        self._dropped = threading.Event()
        self._end: _End | None = None
        self._thread = threading.Thread(target=self._take, name=name, daemon=True)
        self._thread.start()

    def _take(self) -> None:
        error: BaseException | None = None
        try:
            with closed(self._source) as source:
                for item in source:
                    self._items.put(item)
                    if self._dropped.is_set():
                        break
        except BaseException as caught:
            error = caught
        self._items.put(_End(error))

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        if self._end is not None:
            raise StopIteration
        item = self._items.get()
        if not isinstance(item, _End):
            return item
        self._end = item
        if item.error is not None:
            raise item.error
        raise StopIteration

    def close(self) -> None:
        """Takes no more than the item under way."""
        self._dropped.set()
        self._thread.join()
