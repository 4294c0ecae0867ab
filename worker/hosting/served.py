"""What a class in a host looks like. Imported in any environment: the standard library alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

Progress = Callable[[str], None]
"""Says in a few words what is being done; whoever waits is patient anew. Raises Dropped where the call was cancelled,
in whichever thread says it."""


class Served(Protocol):
    """Made as Class(progress, **arguments), which loads; `progress` is a Progress.

    Each other public method may be called, with keyword arguments of JSON: a generator of (header, payload) pairs, a
    dict of JSON and bytes. It is closed when the call is cancelled (GeneratorExit at its `yield`). All runs in the
    process' main thread, one call at a time. Two methods are optional:

    memory() -> dict[str, int]   {"gpu_mb": …} in MiB, asked after loading and after each call.
    tidy() -> None               frees what can be freed; called after memory did not suffice.
    """


class Refused(Exception):
    """The arguments can't be used, and never can: raised by a hosted class; its text is shown."""


class Dropped(BaseException):
    """The call was cancelled: raised out of Progress, to be let through."""
