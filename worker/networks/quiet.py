"""Keeps what libraries say to themselves."""

from __future__ import annotations

import io
import logging
import random
import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout
from importlib import import_module
from typing import Literal

Library = Literal["transformers", "diffusers"]


@contextmanager
def quiet(*libraries: Library) -> Iterator[None]:
    """Within it, nothing that this thread prints or gives the root logger is seen, no handler is left on the root
    logger, no warning is shown, and Python's random numbers go on afterwards as if nothing had happened. The libraries
    named log errors alone and draw no bars; their settings are as before afterwards.

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
        with redirect_stdout(io.StringIO()), warnings.catch_warnings(action="ignore"), ExitStack() as hushed:
            for library in libraries:
                hushed.enter_context(_hushed(library))
            yield
    finally:
        root.removeFilter(from_elsewhere)
        for handler in set(root.handlers) - set(before):
            root.removeHandler(handler)
        root.setLevel(level)
        random.setstate(state)


@contextmanager
def _hushed(library: Library) -> Iterator[None]:
    """Both have the same switches."""
    switches = import_module(f"{library}.utils.logging")
    level, bars = switches.get_verbosity(), switches.is_progress_bar_enabled()
    switches.set_verbosity_error()
    switches.disable_progress_bar()
    try:
        yield
    finally:
        switches.set_verbosity(level)
        if bars:
            switches.enable_progress_bar()
