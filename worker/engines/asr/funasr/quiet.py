"""Keeps what funasr says to itself."""

from __future__ import annotations

import io
import logging
import random
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout


@contextmanager
def quiet() -> Iterator[None]:
    """Within it, nothing that this thread prints or gives the root logger is seen, no handler is left on the root
    logger, no warning is shown, and Python's random numbers go on afterwards as if nothing had happened.

    funasr prints, logs by the root logger (paths, and whole tracebacks), configures that logger, and seeds everything
    when it loads.
    """
    root, thread, state = logging.getLogger(), threading.get_ident(), random.getstate()
    before, level = list(root.handlers), root.level

    def from_elsewhere(record: logging.LogRecord) -> bool:
        return record.thread != thread

    guard = logging.NullHandler()  # with a handler there, `basicConfig` does nothing
    root.addHandler(guard)
    root.addFilter(from_elsewhere)
    try:
        with redirect_stdout(io.StringIO()), warnings.catch_warnings(action="ignore"):
            yield
    finally:
        root.removeFilter(from_elsewhere)
        for handler in set(root.handlers) - set(before):
            root.removeHandler(handler)
        root.setLevel(level)
        random.setstate(state)
