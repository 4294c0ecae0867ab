"""Layer 4 in the pipeline: sentences to saved speech and a voice note."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from core.catalogue import Voice
from core.errors import TTSError
from core.kinds import Layer, Tone
from core.logging import get_logger
from core.text import detect_language
from worker.engines.tts.base import Phoneme, Speech, TTSEngine
from worker.guard import closed
from worker.job import Job, Report
from worker.lending import Lender
from worker.media import VoiceWriter
from worker.parts import Parts, load, save
from worker.timing.aligner import Aligner

log = get_logger(__name__)

Say = Callable[[TTSEngine, str], Iterator[Speech]]
"""Has an engine speak a sentence in the turn's language, voice and tone."""


class Speaker:
    """Speaks sentence by sentence; each is saved whole before it goes on to the picture."""

    def __init__(
        self,
        job: Job,
        report: Report,
        check: Callable[[], None],
        lender: Lender,
        parts: Parts,
        aligner: Aligner,
        engine: str,
    ) -> None:
        """aligner: tells phoneme times of voices that do not know their own. engine: the voice's, by name."""
        self._job = job
        self._report = report
        self._check = check
        self._lender = lender
        self._parts = parts
        self._aligner = aligner
        self._engine = engine
        self._writer: VoiceWriter | None = None

    def run(self, voice: Voice, sentences: Iterator[str], language: str, tone: Tone, intensity: float) -> None:
        """Raises TTSError; what was spoken until then stays saved."""

        def say(engine: TTSEngine, text: str) -> Iterator[Speech]:
            return engine.speak(text, language=language, voice=voice, tone=tone, intensity=intensity)

        try:
            for number, sentence in enumerate(sentences):
                self._check()
                self._add(self._saved(number, sentence) or self._spoken(number, sentence, language, say))
            self._finish()
        finally:
            if self._writer is not None:
                self._writer.abort()

    def _saved(self, number: int, sentence: str) -> Speech | None:
        """An earlier attempt's speech of the same sentence."""
        saved = self._job.saved(Layer.TTS, number)
        if saved is None or saved["text"] != sentence or not Path(saved["path"]).exists():
            return None
        speech = load(Path(saved["path"]))
        self._parts.append(Path(saved["path"]), speech.seconds)
        return speech

    def _spoken(self, number: int, sentence: str, language: str, say: Say) -> Speech:
        self._report("layer", layer=Layer.TTS, progress=0.0)
        path = self._job.path / f"tts-{number:03d}.npz"
        with self._lender.costs(Layer.TTS, self._engine) as costs:
            speech = self._lender.call(Layer.TTS, self._engine, lambda engine: self._whole(say(engine, sentence)))
            speech = self._timed(replace(speech, text=sentence, language=detect_language(sentence) or language))
            save(path, speech)
        self._parts.append(path, speech.seconds)
        data = {"path": str(path), "seconds": speech.seconds, "text": sentence}
        self._report("output", part=number, data=data, **costs.spent)
        return speech

    def _whole(self, spoken: Iterator[Speech]) -> Speech:
        """All pieces of a sentence as one."""
        pieces = []
        with closed(spoken):
            for piece in spoken:
                self._check()
                pieces.append(piece)
        return joined(pieces)

    def _timed(self, speech: Speech) -> Speech:
        """With phonemes where the voice gave none and they can be found; without them the face listens instead."""
        if speech.phonemes is not None or speech.text is None or speech.language is None:
            return speech
        self._check()
        try:
            phonemes = self._aligner.align(speech, speech.text, speech.language)
        except Exception as error:
            log.warning("alignment_failed", error=type(error).__name__, language=speech.language)
            return speech
        if phonemes is None:
            log.warning("alignment_refused", language=speech.language, seconds=round(speech.seconds, 2))
        return replace(speech, phonemes=phonemes)

    def _add(self, speech: Speech) -> None:
        if self._writer is None:
            self._writer = VoiceWriter(self._job.path / "voice.ogg", speech.sample_rate)
        self._writer.add(speech.samples)

    def _finish(self) -> None:
        if self._writer is not None:
            clip = self._writer.close()
            self._writer = None
            self._report("voice", path=str(clip.path), seconds=clip.seconds, bytes=clip.bytes)


def joined(pieces: list[Speech]) -> Speech:
    """Pieces that follow each other as one; phonemes are known only where all pieces know theirs. Raises TTSError."""
    if not pieces or not sum(len(piece.samples) for piece in pieces):
        raise TTSError("the voice said nothing")
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
