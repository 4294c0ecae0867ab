"""Emotion by classifiers of text that were trained on people's own messages: one for English, one for Arabic and
every other language. They run on the CPU, beside the card."""

from __future__ import annotations

from worker.engines.emotion.transformers.engine import Transformers

__all__ = ["Transformers"]
