"""One sentence, spoken whole by one engine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from core.catalogue import Voice
from core.errors import SpeechFaulty, TTSError
from core.kinds import Tone
from worker.engines.tts.base import Phoneme, Speech, TTSEngine
from worker.guard import closed
from worker.voicing.faults import fault
from worker.voicing.finishing import finished
from worker.voicing.lengths import Lengths


@dataclass(frozen=True)
class Sentence:
    """What is said and how. language: BCP 47 primary tag."""

    text: str
    language: str
    voice: Voice
    tone: Tone
    intensity: float

    def asked(self, engine: TTSEngine, take: int) -> Iterator[Speech]:
        """The engine's pieces of it."""
        return engine.speak(
            self.text,
            language=self.language,
            voice=self.voice,
            tone=self.tone,
            intensity=self.intensity,
            take=take,
        )

    def finished(self, pieces: Iterator[Speech]) -> Speech:
        """The raw pieces as one, measured and finished. Raises SpeechFaulty; pieces that go on too long are closed at
        once."""
        lengths = Lengths.of(self.text, self.language)
        with closed(pieces):
            taken = list(_bounded(pieces, lengths))
        if not sum(len(piece.samples) for piece in taken):
            raise SpeechFaulty("the speech is empty")
        raw = joined(taken)
        found = fault(raw.samples, raw.sample_rate, lengths)
        if found and (lengths.least_s or found != "silent"):
            raise SpeechFaulty(f"the speech is {found}")
        return finished(raw, self.text, self.tone)


def joined(pieces: list[Speech]) -> Speech:
    """Pieces that follow each other as one; phonemes are known only where all pieces know theirs. Raises TTSError."""
    if not pieces or not sum(len(piece.samples) for piece in pieces):
        raise TTSError("the voice said nothing")
    if len({piece.sample_rate for piece in pieces}) > 1:
        raise TTSError("the voice changed its sample rate within a sentence")
    if len(pieces) == 1:
        return pieces[0]
    phonemes: list[Phoneme] = []
    at = 0.0
    for piece in pieces:
        phonemes += [Phoneme(each.ipa, each.start + at, each.end + at) for each in piece.phonemes or ()]
        at += piece.seconds
    known = all(piece.phonemes is not None for piece in pieces)
    samples = np.concatenate([piece.samples for piece in pieces])
    return Speech(samples, pieces[0].sample_rate, tuple(phonemes) if known else None)


def _bounded(pieces: Iterator[Speech], lengths: Lengths) -> Iterator[Speech]:
    """Raises SpeechFaulty as soon as it is clear that the speech will not do."""
    seconds = 0.0
    for piece in pieces:
        seconds += piece.seconds
        if seconds > lengths.most_s:
            raise SpeechFaulty(f"the speech is runaway: {seconds:.1f} s where {lengths.most_s:.1f} s are plausible")
        if not np.isfinite(piece.samples).all():
            raise SpeechFaulty("the speech is broken: it holds values that are no numbers")
        yield piece
