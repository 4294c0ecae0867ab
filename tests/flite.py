"""The recordings of a second synthesiser with the true times of their phones (tests/data/flite)."""

from __future__ import annotations

from bench.flite import DATA, RATE, clips
from worker.engines.tts.base import Speech

__all__ = ["DATA", "RATE", "clips", "said"]


def said(text: str) -> Speech:
    """The clip of a text."""
    return next(clip for clip in clips() if clip.text == text)
