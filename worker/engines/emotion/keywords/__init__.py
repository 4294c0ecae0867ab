"""Emotion by what people write when they feel it, in Arabic and English: no model, no download."""

from __future__ import annotations

from worker.engines.emotion.keywords.engine import Keywords

__all__ = ["Keywords"]
