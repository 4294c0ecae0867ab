"""Layer 4 in the pipeline: sentences to saved speech and a voice note."""

from __future__ import annotations

import time
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
from worker.guard import closed, failing_as
from worker.job import Job, Report
from worker.media import VoiceWriter
from worker.parts import Parts, load, save
from worker.timing.aligner import Aligner

log = get_logger(__name__)


class Speaker:
    """Speaks sentence by sentence; each is saved whole before it goes on to the picture."""

    def __init__(self, job: Job, report: Report, check: Callable[[], None], parts: Parts, aligner: Aligner) -> None:
        """aligner: tells phoneme times of voices that do not know their own."""
        self._job = job
        self._report = report
        self._check = check
        self._parts = parts
        self._aligner = aligner
        self._writer: VoiceWriter | None = None
        self._seconds_spent = 0.0

    def run(
        self,
        engine: TTSEngine,
        voice: Voice,
        sentences: Iterator[str],
        language: str,
        tone: Tone,
        intensity: float,
    ) -> None:
        """Raises TTSError; what was spoken until then stays saved."""
        try:
            for number, sentence in enumerate(sentences):
                self._check()
                speech = self._saved(number, sentence) or self._spoken(
                    number,
                    sentence,
                    language,
                    lambda text: engine.speak(text, language=language, voice=voice, tone=tone, intensity=intensity),
                    engine.name,
                )
                self._add(speech)
            self._finish(engine.name)
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

    def _spoken(
        self, number: int, sentence: str, language: str, speak: Callable[[str], Iterator[Speech]], engine: str
    ) -> Speech:
        self._report("layer", layer=Layer.TTS, progress=0.0)
        began = time.perf_counter()
        speech = joined(list(self._pieces(speak, sentence, engine)))
        speech = self._timed(replace(speech, text=sentence, language=detect_language(sentence) or language))
        path = self._job.path / f"tts-{number:03d}.npz"
        save(path, speech)
        spent = time.perf_counter() - began
        self._seconds_spent += spent
        self._parts.append(path, speech.seconds)
        data = {"path": str(path), "seconds": speech.seconds, "text": sentence}
        self._report("output", layer=Layer.TTS, part=number, data=data, ms=spent * 1000, engine=engine)
        return speech

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

    def _pieces(self, speak: Callable[[str], Iterator[Speech]], sentence: str, engine: str) -> Iterator[Speech]:
        with failing_as(TTSError, engine), closed(speak(sentence)) as pieces:
            for piece in pieces:
                self._check()
                yield piece

    def _add(self, speech: Speech) -> None:
        if self._writer is None:
            self._writer = VoiceWriter(self._job.path / "voice.ogg", speech.sample_rate)
        self._writer.add(speech.samples)

    def _finish(self, engine: str) -> None:
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
