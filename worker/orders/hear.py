"""{"do": "hear", "media", "language", "expected"}: what is said in a recording, written down."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import soxr
from numpy.typing import NDArray

from core.errors import AudioInvalid, Cancelled, LanguageUnsupported, NotFound, NotUnderstood
from core.kinds import Layer
from worker.engines.asr.base import SAMPLE_RATE, ASREngine, Transcript
from worker.hearing import MISTAKEN
from worker.interrupting import interrupting
from worker.job import Report
from worker.lending import Lender
from worker.media import read_wav
from worker.orders.base import Bench

LONGEST_S = 60.0
"""Turns wait while a recording is listened to."""
NOTHING = Transcript("", "", 0.0)

Sound = NDArray[np.float32]


@dataclass(frozen=True)
class Hear:
    """media: a WAV (16 bit, mono, any rate). language: what is spoken, where somebody knows it. expected: what it
    likely is else.

    It comes to {"text", "language", "confidence"}, as worker.engines.asr.base.Transcript; an empty text where the
    engine takes no dictation, knows no such language, or understood nothing.
    """

    media: Path
    language: str | None
    expected: str | None

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Self:
        return cls(Path(told["media"]), told["language"], told["expected"])

    @property
    def names(self) -> Mapping[str, str]:
        return {}

    def carry_out(self, bench: Bench, report: Report, stop: threading.Event) -> Mapping[str, Any]:
        """Raises ASRError, and permanent errors for a recording that is gone or longer than LONGEST_S."""

        def check() -> None:
            if stop.is_set():
                raise Cancelled

        lender = Lender(bench.engines, report, check)
        name = lender.name(Layer.ASR, self.language)
        sound = self._sound()
        with interrupting(stop, bench.engines.interrupt), lender.costs(Layer.ASR, name) as costs:
            said = self._understood(lender, name, sound)
        report("time", **costs.spent)
        return asdict(said)

    def _sound(self) -> Sound:
        if not self.media.is_file():
            raise NotFound("the recording is gone")
        samples, rate = read_wav(self.media)
        if samples.size > LONGEST_S * rate:
            raise AudioInvalid(f"the recording is longer than {LONGEST_S:.0f} s")
        return np.asarray(soxr.resample(samples, rate, SAMPLE_RATE), np.float32)

    def _understood(self, lender: Lender, name: str, sound: Sound) -> Transcript:
        """Where the engine found out the language by itself and may be mistaken, the surer of two ways to hear it."""
        said = _said(lender, name, sound, self.language)
        if self.language is None and self.expected is not None and said.language in MISTAKEN:
            again = _said(lender, name, sound, self.expected)
            return max(said, again, key=lambda heard: heard.confidence)
        return said


def _said(lender: Lender, name: str, sound: Sound, language: str | None) -> Transcript:
    def transcribe(engine: ASREngine) -> Transcript:
        return engine.transcribe(sound, language=language) if engine.dictates else NOTHING

    try:
        return lender.call(Layer.ASR, name, transcribe)
    except (LanguageUnsupported, NotUnderstood):
        return NOTHING
