"""Telling what an error means for the card, whichever library raised it and however it is wrapped. Imports none."""

from __future__ import annotations

import re
from collections.abc import Iterator

from core.errors import LayerError

_TEXTS = re.compile(
    r"out of memory"  # torch, the CUDA runtime, Ollama
    r"|CUBLAS_STATUS_ALLOC_FAILED|CUDNN_STATUS_ALLOC_FAILED|CUSOLVER_STATUS_ALLOC_FAILED|cudaErrorMemoryAllocation"
    r"|(?:CUBLAS|CUDNN)_STATUS_NOT_INITIALIZED"  # their handles want some memory beside torch's own
    r"|can't allocate memory|not enough memory|failed to allocate",  # torch on a CPU, onnxruntime
    re.IGNORECASE,
)
_BROKEN = re.compile(
    r"device-side assert|illegal memory access|illegal instruction|misaligned address|unspecified launch failure"
    r"|launch timed out|uncorrectable ECC|hardware stack error|CUDA driver error(?!: out of memory)|GPU is lost",
    re.IGNORECASE,
)
"""After these the CUDA context of a process is of no more use (CUDA Runtime API, cudaError: "the process must be
terminated and relaunched")."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether this error, or one that it was raised from, says that memory of the card or the machine did not suffice:
    a LayerError with `exhausted`, MemoryError, torch's OutOfMemoryError, or a RuntimeError whose text says so."""
    return any(_says_so(each) for each in _chain(error))


def is_beyond_repair(error: BaseException) -> bool:
    """Whether this error, or one that it was raised from, leaves the card useless to this process: only a new one can
    go on."""
    return any(isinstance(each, RuntimeError) and _BROKEN.search(str(each)) for each in _chain(error))


def _says_so(error: BaseException) -> bool:
    if isinstance(error, LayerError):
        return error.exhausted
    if isinstance(error, MemoryError) or type(error).__name__ in ("OutOfMemoryError", "MemoryAllocationError"):
        return True
    return isinstance(error, RuntimeError) and _TEXTS.search(str(error)) is not None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and its causes; a chain that bites its own tail ends where it would begin again."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__
