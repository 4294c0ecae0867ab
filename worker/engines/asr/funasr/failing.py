"""Errors of torch and funasr as our own."""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from core.errors import ASRError, SmartTalkerError
from worker.engines.asr.funasr.memory import give_back

_EXHAUSTED = re.compile(r"out of memory|can't allocate memory|CUBLAS_STATUS_ALLOC_FAILED", re.IGNORECASE)


@contextmanager
def asr_errors(doing: str, remedy: str) -> Iterator[None]:
    """Whatever is not ours becomes ASRError, exhausted where memory did not suffice. The error's frames let go of
    what they held, so that the memory is free when the error arrives; its text holds nothing of the speech."""
    try:
        yield
    except SmartTalkerError:
        raise
    except Exception as error:
        traceback.clear_frames(error.__traceback__)
        kind = type(error).__name__
        if isinstance(error, MemoryError) or kind == "OutOfMemoryError" or _EXHAUSTED.search(str(error)):
            give_back()
            raise ASRError(f"funasr: memory did not suffice {doing}", exhausted=True) from None
        raise ASRError(f"funasr: {kind} {doing}: {remedy}") from error
