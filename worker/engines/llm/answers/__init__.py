"""The persona's own answers, found by the likeness of the question: no model, no download."""

from __future__ import annotations

from worker.engines.llm.answers.choice import Choice
from worker.engines.llm.answers.engine import Answers

__all__ = ["Answers", "Choice"]
