"""The six layers in order, and nothing else."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.catalogue import Avatar, Catalogue, Persona
from core.errors import ASRError, Cancelled, EmotionError, LanguageUnsupported, LayerError, LLMError, NotUnderstood
from core.i18n import t
from core.kinds import DEFAULT_LANGUAGE, TONE_OF, Emotion, Layer, Mode, Tone
from core.persona import spoken_questions
from core.storage import storage_errors
from core.text.listing import listed
from core.text.sentences import SentenceSplitter, detect_language
from worker.ahead import Ahead
from worker.drawing import Drawer, Scene
from worker.engines.asr.base import Transcript
from worker.engines.emotion.base import EmotionEngine, Reading
from worker.engines.llm.base import LLMEngine, Message
from worker.gpu import EngineSet
from worker.guard import closed, failing_as, guarded
from worker.job import Job, Report
from worker.media import read_wav
from worker.parts import Parts
from worker.speaking import Speaker
from worker.timing.aligner import Aligner

MISSING_EAR = "FunAudioLLM/Fun-ASR-MLT-Nano-2512"
"""The model that understands speech in 31 languages, Arabic among them."""
FETCH = "smarttalker models fetch"


@dataclass(frozen=True)
class Heard:
    """What the user said and in which language to answer; `reply` is set where there is nothing to ask a model."""

    text: str
    language: str
    reply: str | None = None


class SmartTalkerPipeline:
    """Runs one job at a time; every result goes out through `report` as soon as it is whole."""

    def __init__(self, engines: EngineSet, catalogue: Catalogue) -> None:
        self._engines = engines
        self._catalogue = catalogue
        self._aligner = Aligner()

    def run(self, job: Job, report: Report, stop: threading.Event) -> None:
        """Raises Cancelled soon after `stop` is set, and LayerError where not even a text could be made."""
        Run(self._engines, self._catalogue, self._aligner, job, report, stop).run()


class Run:
    """One job on its way through the layers."""

    def __init__(
        self,
        engines: EngineSet,
        catalogue: Catalogue,
        aligner: Aligner,
        job: Job,
        report: Report,
        stop: threading.Event,
    ) -> None:
        self._engines = engines
        self._aligner = aligner
        self._job = job
        self._report = report
        self._stop = stop
        self._avatar: Avatar = catalogue.avatar(job.avatar)
        self._voice = catalogue.voice(job.voice or self._avatar.voice)

    @property
    def _persona(self) -> Persona:
        return self._avatar.persona

    def _check(self) -> None:
        if self._stop.is_set():
            raise Cancelled

    def run(self) -> None:
        heard = self._hear()
        mood = self._feel(heard)
        tone = TONE_OF[mood.emotion]
        if not self._job.speaks:
            for _ in self._sentences(heard, tone):
                self._check()
            return
        with storage_errors():
            self._job.path.mkdir(parents=True, exist_ok=True)
        self._perform(heard, tone, mood.intensity)

    def _hear(self) -> Heard:
        job = self._job
        if job.media is None:
            text = job.text or ""
            return Heard(text, job.language or detect_language(text) or job.known_language or DEFAULT_LANGUAGE)
        if saved := job.saved(Layer.ASR):
            return Heard(saved["text"], saved["language"], saved.get("reply"))
        self._report("layer", layer=Layer.ASR, progress=0.0)
        began = time.perf_counter()
        heard = self._transcribe(Path(job.media))
        self._check()
        data = {"text": heard.text, "language": heard.language, "reply": heard.reply}
        self._output(Layer.ASR, data, began, self._engines.name(Layer.ASR, job.language))
        return heard

    def _transcribe(self, media: Path) -> Heard:
        """What can't be understood is answered in words, in the language that was asked for or is known."""
        job = self._job
        language = job.language or job.known_language or DEFAULT_LANGUAGE
        samples, _ = read_wav(media)
        asked = spoken_questions(self._persona, "en")
        try:
            engine = self._engines.get(Layer.ASR, job.language)
            with failing_as(ASRError, engine.name):
                said: Transcript = engine.transcribe(samples, language=job.language, hints=asked)
        except LanguageUnsupported:
            return self._not_heard(LanguageUnsupported.code, language, self._no_ear(language))
        except NotUnderstood:
            if engine.needs.languages and language not in engine.needs.languages:
                return self._not_heard(LanguageUnsupported.code, language, self._no_ear(language))
            return self._not_heard(NotUnderstood.code, language, self._no_sense(language))
        return Heard(said.text, said.language)

    def _not_heard(self, code: str, language: str, reply: str) -> Heard:
        self._report("step", layer=Layer.ASR, engine=self._engines.name(Layer.ASR, self._job.language), code=code)
        return Heard("", language, reply)

    def _no_ear(self, language: str) -> str:
        return t("error-asr-language", language, language=language, model=MISSING_EAR, command=FETCH)

    def _no_sense(self, language: str) -> str:
        topics = [answer.topic[language] for answer in self._persona.answers[:3] if language in answer.topic]
        return t("error-not-understood", language, examples=listed(topics, language))

    def _feel(self, heard: Heard) -> Reading:
        if not self._job.emotion_enabled or not heard.text:
            return Reading(Emotion.NEUTRAL, 0.0)
        if saved := self._job.saved(Layer.EMOTION):
            return Reading(Emotion(saved["emotion"]), saved["intensity"])
        began, name = time.perf_counter(), self._engines.name(Layer.EMOTION, heard.language)
        engine: EmotionEngine = self._engines.get(Layer.EMOTION, heard.language)
        try:
            with failing_as(EmotionError, name):
                mood = engine.read(heard.text, language=heard.language)
        except EmotionError as error:
            self._step(Layer.EMOTION, name, error)
            return Reading(Emotion.NEUTRAL, 0.0)
        self._check()
        self._output(Layer.EMOTION, {"emotion": mood.emotion, "intensity": mood.intensity}, began, name)
        return mood

    def _sentences(self, heard: Heard, tone: Tone) -> Iterator[str]:
        """The answer's sentences as soon as each is whole; the whole text is reported at its end."""
        splitter = SentenceSplitter()
        saved = self._job.saved(Layer.LLM)
        pieces = iter((saved["text"],)) if saved else self._answer(heard, tone)
        for piece in pieces:
            yield from splitter.feed(piece)
        yield from splitter.flush()

    def _answer(self, heard: Heard, tone: Tone) -> Iterator[str]:
        self._report("layer", layer=Layer.LLM, progress=0.0)
        began, text = time.perf_counter(), ""
        with closed(self._pieces(heard, tone)) as pieces:
            for piece in pieces:
                self._check()
                text += piece
                self._report("partial", text=text)
                yield piece
        self._check()
        if not text.strip():
            raise LLMError("the language model gave an empty answer")
        name = self._engines.name(Layer.LLM, heard.language) if heard.reply is None else "sentence"
        data = {"text": text.strip(), "language": heard.language}
        self._output(Layer.LLM, data, began, name)

    def _pieces(self, heard: Heard, tone: Tone) -> Iterator[str]:
        if heard.reply is not None:
            return iter((heard.reply,))
        history: Sequence[Message] = [
            *(Message("user" if line["role"] == "user" else "assistant", line["text"]) for line in self._job.history),
            Message("user", heard.text),
        ]
        engine: LLMEngine = self._engines.get(Layer.LLM, heard.language)
        with failing_as(LLMError, engine.name):
            answer = engine.answer(history, persona=self._persona, language=heard.language, tone=tone)
        return guarded(answer, LLMError, engine.name)

    def _perform(self, heard: Heard, tone: Tone, intensity: float) -> None:
        """Speech and picture run beside the language model, each in its own thread."""
        parts = Parts()
        speaker = Speaker(self._job, self._report, self._check, parts, self._aligner)
        scene = Scene(
            self._engines, self._job, self._report, self._check, parts, self._avatar, heard.language, tone, intensity
        )
        drawer = Drawer(scene)
        drawing = threading.Thread(target=drawer.run, name="drawing", daemon=True)
        if Mode.VIDEO in self._job.modes:
            drawing.start()
        try:
            with closed(Ahead(self._sentences(heard, tone), "thinking")) as sentences:
                self._speak(speaker, sentences, heard.language, tone, intensity)
            parts.end()
        except BaseException as error:
            parts.end(error)
            if not isinstance(error, LayerError) or error.layer is not Layer.TTS:
                raise
        finally:
            if drawing.ident is not None:
                drawing.join()
        self._check()
        drawer.raise_fatal()

    def _speak(self, speaker: Speaker, sentences: Iterator[str], language: str, tone: Tone, intensity: float) -> None:
        name = self._engines.name(Layer.TTS, language)
        try:
            speaker.run(self._engines.get(Layer.TTS, language), self._voice, sentences, language, tone, intensity)
        except LayerError as error:
            if error.layer is not Layer.TTS:
                raise
            self._step(Layer.TTS, name, error)
            for _ in sentences:
                self._check()
            raise

    def _step(self, layer: Layer, engine: str, error: LayerError) -> None:
        self._report("step", layer=layer, engine=engine, code=error.code)

    def _output(self, layer: Layer, data: Mapping[str, object], began: float, engine: str) -> None:
        ms = (time.perf_counter() - began) * 1000
        self._report("output", layer=layer, part=0, data=data, ms=ms, engine=engine)
