"""Fun-ASR Nano, a recogniser of 31 languages around a small language model, with Silero's voice activity detection."""

from __future__ import annotations

from worker.engines.asr.funasr.engine import FunASR

__all__ = ["FunASR"]
