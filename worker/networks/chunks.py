"""Long work in pieces that fit into memory."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import TypeVar

from worker.exhaustion import is_out_of_memory
from worker.networks.failing import let_go
from worker.networks.memory import give_back

_log = logging.getLogger(__name__)

T = TypeVar("T")


def chunked(total: int, chunk: int, call: Callable[[int, int], T], what: str = "a network") -> Iterator[T]:
    """call(begin, end) for one piece of `total` after the other, each of `chunk` or fewer.

    The first time that memory does not suffice it is given back and pieces are half as long from there on, the failed
    one first; the second time, and where a piece is one already, the error passes.
    """
    if chunk < 1:
        raise ValueError(f"pieces of {chunk}")
    begin, halved = 0, False
    while begin < total:
        end = min(begin + chunk, total)
        try:
            made = call(begin, end)
        except Exception as error:
            if halved or end - begin == 1 or not is_out_of_memory(error):
                raise
            let_go(error)
        else:
            yield made
            del made
            begin = end
            continue
        halved, chunk = True, (end - begin) // 2
        give_back()
        _log.warning("memory did not suffice for %d at once of %s: from here on %d", end - begin, what, chunk)
