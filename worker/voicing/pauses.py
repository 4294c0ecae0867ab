"""The silence after a sentence, by its last mark and the tone: one rule for all voices."""

from __future__ import annotations

import re

import numpy as np

from core.kinds import Tone
from worker.engines.tts.base import Speech

_PAUSES_S = {
    "،": 0.12,
    ",": 0.12,
    ":": 0.18,
    "؛": 0.24,
    ";": 0.24,
    ".": 0.30,
    "!": 0.30,
    "؟": 0.34,
    "?": 0.34,
    "…": 0.42,
}
"""In the proportions of the pauses that eSpeak itself makes within a text."""
_PAUSE_S = 0.28
_PARAGRAPH_S = 0.15
_PAUSE_SHARES = {Tone.NEUTRAL: 1.0, Tone.CHEERFUL: 0.9, Tone.LIVELY: 0.85, Tone.GENTLE: 1.25, Tone.CALM: 1.15}
_CLOSING = re.compile(r"[\s\"'»”’)\]}*_]+$")


def pause_after(text: str, tone: Tone) -> float:
    """Seconds of silence after a sentence as it was written."""
    bare = _CLOSING.sub("", text)
    mark = "…" if bare.endswith("...") else bare[-1:]
    return round((_PAUSES_S.get(mark, _PAUSE_S) + _PARAGRAPH_S * text.endswith("\n")) * _PAUSE_SHARES[tone], 3)


def pause(text: str, tone: Tone, sample_rate: int) -> Speech:
    """That silence alone: what is spoken of a text with nothing to say."""
    return Speech(np.zeros(round(pause_after(text, tone) * sample_rate), np.float32), sample_rate, ())
