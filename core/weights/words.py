"""Sizes as people read them."""

from __future__ import annotations


def in_words(count: int) -> str:
    """1234567890 → `1.2 GB`."""
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} bytes"
