"""The engine `ollama`: a language model on an Ollama server, grounded on what the persona knows."""

from __future__ import annotations

from worker.engines.llm.ollama.engine import Ollama

__all__ = ["Ollama"]
