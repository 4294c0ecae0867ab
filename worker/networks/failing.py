"""Errors of torch and of the libraries on top of it as our own."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from core.errors import LayerError, SmartTalkerError
from worker.exhaustion import is_out_of_memory
from worker.networks.checkpoint import CheckpointError
from worker.networks.memory import give_back
from worker.networks.precision import NotANumber


@contextmanager
def failing(error_class: type[LayerError], name: str, doing: str, remedy: str) -> Iterator[None]:
    """Whatever is not ours becomes error_class, exhausted where memory did not suffice; SmartTalkerErrors pass.

    name: the engine's. doing: such as "while its weights were loaded". remedy: what the reader can do, a sentence's
    end. The error's frames let go of what they held, so that the memory is free when the error arrives. Its text
    holds nothing of what was worked on: of foreign errors only the kind is told, of CheckpointError all, which knows
    what to do.
    """
    try:
        yield
    except SmartTalkerError:
        raise
    except Exception as error:
        let_go(error)
        if is_out_of_memory(error):
            give_back()
            raise error_class(f"{name}: memory did not suffice {doing}", exhausted=True) from None
        if isinstance(error, CheckpointError):
            raise error_class(f"{name}: {error}") from error
        told = str(error) if isinstance(error, NotANumber) else type(error).__name__
        raise error_class(f"{name}: {told} {doing}: {remedy}") from error


def let_go(error: BaseException) -> None:
    """The frames that this error and those before it came through drop their variables; running frames keep theirs."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        traceback.clear_frames(current.__traceback__)
        current = current.__cause__ or current.__context__
