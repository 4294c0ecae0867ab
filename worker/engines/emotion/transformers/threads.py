"""How many threads a short sentence is worth."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def one_thread() -> Iterator[None]:
    """torch computes in one thread, and in as many as before afterwards.

    A message is 10 to 40 tokens, too little to share: where other processes use the cores too, threads that wait for
    each other make it 4 to 15 times slower (50 and 90 ms became 200 to 1,300 on two busy cores).
    """
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
