"""Arabic as it is said: figures, money, times, dates and units in words that agree with what they count."""

from __future__ import annotations

from core.text.arabic.speech import in_words

__all__ = ["in_words"]
