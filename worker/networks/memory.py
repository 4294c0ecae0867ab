"""Gives back what nobody refers to any more."""

from __future__ import annotations

import ctypes
import gc
import sys


def give_back() -> None:
    """The card's memory to other processes, and the machine's to the system."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()
    trim()


def trim() -> None:
    """What torch frees of the machine's memory stays with glibc, which may hold as much as the whole model."""
    if trimmed := getattr(ctypes.CDLL(None), "malloc_trim", None):
        trimmed(0)
