"""`funasr`: a note of five seconds to its text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

from bench.figures import Figures
from bench.gpu.meters import Meter
from bench.gpu.trial import Size, built, tried, words
from core.catalogue import Catalogue
from core.settings import HOME
from worker.engines.asr.base import SAMPLE_RATE
from worker.engines.base import Place
from worker.engines.tts.espeak import Espeak

SAID = (
    "The clinic is open from Sunday to Thursday, and we begin at eight in the morning.",
    "Please bring your card, parking costs nothing.",
)
"""About eight seconds and two dozen words."""
_VOICE = "layla"


def measure(place: Place, meter: Meter, size: Size) -> Figures:
    """Random weights say the words that they are built to say, one token each, whatever they hear; their layers
    compute all the same. The table of tokens stands twice for that, so the card holds 0.3 GB more than with the
    published weights."""
    from bench.models.asr import build
    from worker.engines.asr.funasr import FunASR
    from worker.engines.asr.funasr.engine import MULTILINGUAL

    built(size, build, place.models / MULTILINGUAL, size, recites=words(*SAID))
    sound = spoken(SAID)
    engine: Any = FunASR.at(place)
    again = 2 if place.device == "cpu" else 5
    figures = tried(engine, {"note": lambda: engine.transcribe(sound, language="en")}, meter, again)
    return {**figures, "note_sound_s": sound.size / SAMPLE_RATE}


def spoken(sentences: Sequence[str]) -> NDArray[np.float32]:
    """(n,) at 16 kHz."""
    engine, voice = Espeak(), Catalogue(HOME).voice(_VOICE)
    try:
        pieces = [piece for said in sentences for piece in engine.speak(said, language="en", voice=voice)]
    finally:
        engine.unload()
    joined = np.concatenate([piece.samples for piece in pieces])
    return np.asarray(soxr.resample(joined, pieces[0].sample_rate, SAMPLE_RATE), np.float32)
