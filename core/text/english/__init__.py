"""English as it is said: figures, money, times, dates and units in words."""

from __future__ import annotations

from core.text.english.speech import in_words

__all__ = ["in_words"]
