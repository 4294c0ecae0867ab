"""Engines are other people's code: what goes wrong in one is an error of its layer, and what it left open is closed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from core.errors import ConfigurationError, LayerError, SmartTalkerError
from worker.exhaustion import is_out_of_memory

T = TypeVar("T")


@contextmanager
def failing_as(kind: type[LayerError], engine: str) -> Iterator[None]:
    """Any error that is not ours becomes `kind`, naming the engine; ours pass. So does a model or a setting that was
    right when the process started: the next engine may have its own."""
    try:
        yield
    except ConfigurationError as error:
        raise kind(str(error)) from error
    except SmartTalkerError:
        raise
    except Exception as error:
        raise kind(f"{engine}: {type(error).__name__}", exhausted=is_out_of_memory(error)) from error


@contextmanager
def closed(source: Iterator[T]) -> Iterator[Iterator[T]]:
    """Closes a generator at the block's end, whoever still refers to it."""
    try:
        yield source
    finally:
        if close := getattr(source, "close", None):
            close()
