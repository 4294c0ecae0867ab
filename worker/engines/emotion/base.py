"""Text to the user's emotion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from core.kinds import Emotion
from worker.engines.base import Engine


@dataclass(frozen=True)
class Reading:
    """An emotion and its intensity, 0 (none) to 1 (strong)."""

    emotion: Emotion
    intensity: float


class EmotionEngine(Engine, Protocol):
    """Layer 2."""

    def read(self, text: str, *, language: str) -> Reading:
        """Raises EmotionError; a text without any sign of emotion is neutral with intensity 0."""
        ...
