"""CMU PocketSphinx with a grammar made of the persona's questions: English, on any CPU, nothing to download."""

from __future__ import annotations

from worker.engines.asr.pocketsphinx.engine import PocketSphinx

__all__ = ["PocketSphinx"]
