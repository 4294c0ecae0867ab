"""Layer 4 in the pipeline: sentences to saved speech and a voice note, stepping down from engine to engine."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.catalogue import Voice
from core.errors import SpeechFaulty, TTSError
from core.kinds import Layer, Mode, Tone
from core.logging import get_logger
from core.text import detect_language
from worker.engines.tts.base import Speech, TTSEngine
from worker.guard import closed
from worker.job import Job, Report
from worker.lending import Lender
from worker.media import VoiceWriter
from worker.parts import Parts, load, save
from worker.thinking import spoken_language
from worker.timing.aligner import Aligner
from worker.voicing.finishing import at_rate
from worker.voicing.sentence import Sentence, joined

log = get_logger(__name__)

TAKES, ATTEMPTS = 3, 2
"""How often one engine speaks a sentence where what it says will not do, and where it breaks."""
AGAIN_S = 30.0
"""What the takes of a sentence may have cost by then for another to be begun: somebody waits."""


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
    ) -> None:
        """aligner: tells phoneme times of voices that do not know their own; asked where a face will need them."""
        self._job = job
        self._report = report
        self._check = check
        self._lender = lender
        self._parts = parts
        self._aligner = aligner
        self._seen = Mode.VIDEO in job.modes
        self._gone: set[str] = set()
        self._wasted: list[dict[str, Any]] = []
        self._rate: int | None = None
        self._writer: VoiceWriter | None = None

    def run(self, voice: Voice, sentences: Iterator[str], language: str, tone: Tone, intensity: float) -> None:
        """Raises TTSError where no engine spoke; what was spoken until then stays saved."""
        try:
            for number, text in enumerate(sentences):
                self._check()
                sentence, names = self._cast(Sentence(text, language, voice, tone, intensity))
                self._add(self._saved(number, text, names) or self._spoken(number, sentence, names))
            self._finish()
        finally:
            if self._writer is not None:
                self._writer.abort()

    def _cast(self, sentence: Sentence) -> tuple[Sentence, list[str]]:
        """The engines that may speak the sentence, best first: the answer's, unless the sentence is in another language
        that those do not know."""
        names = self._left(sentence.language)
        own = spoken_language(sentence.text, sentence.language)
        if self._lender.knows(names[0], own):
            return sentence, names
        return replace(sentence, language=own), self._left(own)

    def _left(self, language: str) -> list[str]:
        """Without those that failed in this answer; an answer does not change its voice twice."""
        names = self._lender.voices(language)
        return [name for name in names if name not in self._gone] or names[-1:]

    def _saved(self, number: int, text: str, names: list[str]) -> Speech | None:
        """An earlier attempt's speech of the same sentence. Where a stand-in spoke it, that one goes on."""
        saved = self._job.saved(Layer.TTS, number)
        if saved is None or saved["text"] != text or not Path(saved["path"]).exists():
            return None
        if (spoke := saved.get("engine")) in names:
            self._gone.update(names[: names.index(spoke)])
        path, speech = Path(saved["path"]), load(Path(saved["path"]))
        if (same := self._at_rate(speech)) is not speech:
            path, speech = self._path(number), same
            save(path, speech)
        self._parts.append(path, speech.seconds)
        return speech

    def _spoken(self, number: int, sentence: Sentence, names: list[str]) -> Speech:
        """By the first engine that manages to."""
        self._report("layer", layer=Layer.TTS, progress=0.0)
        for name, then in zip(names, [*names[1:], None], strict=True):
            try:
                return self._by(name, number, sentence)
            except TTSError as error:
                self._lender.step(name, error, then or "text")
                if then is None:
                    raise
                self._gone.add(name)
        raise AssertionError("there is always an engine")

    def _by(self, name: str, number: int, sentence: Sentence) -> Speech:
        """By one engine, and saved."""
        path, costs = self._path(number), self._lender.costs(Layer.TTS, name)
        try:
            with costs:
                speech = self._taken(name, sentence)
                known = detect_language(sentence.text) or sentence.language
                speech = self._at_rate(self._timed(replace(speech, text=sentence.text, language=known)))
                save(path, speech)
        except TTSError:
            self._wasted.append(costs.spent)
            raise
        self._parts.append(path, speech.seconds)
        self._tell_wasted()
        data = {"path": str(path), "seconds": speech.seconds, "text": sentence.text, "engine": name}
        self._report("output", part=number, data=data, **costs.spent)
        return speech

    def _taken(self, name: str, sentence: Sentence) -> Speech:
        """The engine's first take that will do."""
        began = time.monotonic()
        for take in itertools.count():
            try:
                return self._lender.call(Layer.TTS, name, self._take(sentence, take))
            except TTSError as error:
                if not _again(error, take + 1, time.monotonic() - began):
                    raise
                log.warning("spoken_again", engine=name, code=error.cause, take=take + 1, why=str(error))
        raise AssertionError("takes are endless")

    def _take(self, sentence: Sentence, take: int) -> Callable[[TTSEngine], Speech]:
        def speak(engine: TTSEngine) -> Speech:
            pieces = sentence.asked(engine, take)
            if engine.finished:
                return joined(list(self._checked(pieces)))
            if self._seen:
                self._aligner.prepare()
            return sentence.finished(self._lender.pieces(Layer.TTS, pieces, engine))

        return speak

    def _checked(self, pieces: Iterator[Speech]) -> Iterator[Speech]:
        with closed(pieces):
            for piece in pieces:
                self._check()
                yield piece

    def _tell_wasted(self) -> None:
        """What engines took that then did not speak; told before what the one took that did."""
        for spent in self._wasted:
            self._report("time", **spent)
        self._wasted.clear()

    def _timed(self, speech: Speech) -> Speech:
        """With phonemes where the voice gave none and they can be found; without them the face listens instead."""
        if not self._seen or speech.phonemes is not None or speech.text is None or speech.language is None:
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

    def _at_rate(self, speech: Speech) -> Speech:
        """At the sample rate of the answer's first sentence."""
        self._rate = self._rate or speech.sample_rate
        return at_rate(speech, self._rate)

    def _path(self, number: int) -> Path:
        return self._job.path / f"tts-{number:03d}.npz"

    def _add(self, speech: Speech) -> None:
        if self._writer is None:
            self._writer = VoiceWriter(self._job.path / "voice.ogg", speech.sample_rate)
        self._writer.add(speech.samples)

    def _finish(self) -> None:
        if self._writer is not None:
            clip = self._writer.close()
            self._writer = None
            self._report("voice", path=str(clip.path), seconds=clip.seconds, bytes=clip.bytes)


def _again(error: TTSError, taken: int, seconds: float) -> bool:
    """Whether an engine that failed so often for a sentence, in so many seconds, may try once more. Where memory did
    not suffice it was tried with more; what it refuses it refuses again."""
    if error.exhausted or error.permanent or seconds > AGAIN_S:
        return False
    return taken < (TAKES if isinstance(error, SpeechFaulty) else ATTEMPTS)
