"""Layer 1 in the pipeline: what the user said, and in which language to answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.catalogue import Persona
from core.errors import LanguageUnsupported, LayerError, NotUnderstood
from core.i18n import t
from core.kinds import DEFAULT_LANGUAGE, Layer
from core.persona import hotwords, spoken_questions
from core.text.listing import listed
from core.text.sentences import detect_language
from worker.engines.asr.base import ASREngine, Transcript
from worker.job import Job, Report
from worker.lending import Lender
from worker.media import read_wav

MISSING_EAR = "fun-asr-mlt-nano"
"""The weights that understand speech in 31 languages, Arabic among them."""
MISTAKEN = ("zh", "yue", "ja", "ko", "th")
"""What Fun-ASR is known to write for other languages where it is told none (modelscope/FunASR issue 2747): such a note
is heard once more as the conversation's language."""
FETCH = f"smarttalker models fetch {MISSING_EAR}"


@dataclass(frozen=True)
class Heard:
    """What the user said and in which language to answer; `reply` is set where there is nothing to ask a model."""

    text: str
    language: str
    reply: str | None = None


class Hearer:
    """Reads a text's language, or has a voice note transcribed."""

    def __init__(self, job: Job, report: Report, check: Callable[[], None], lender: Lender, persona: Persona) -> None:
        self._job = job
        self._report = report
        self._check = check
        self._lender = lender
        self._persona = persona

    @property
    def _known_language(self) -> str:
        return self._job.language or self._job.known_language or DEFAULT_LANGUAGE

    def run(self) -> Heard:
        """Raises ASRError where the engine failed; what it did not understand is answered in words."""
        job = self._job
        if job.media is None:
            text = job.text or ""
            return Heard(text, job.language or detect_language(text) or job.known_language or DEFAULT_LANGUAGE)
        if saved := job.saved(Layer.ASR):
            return Heard(saved["text"], saved["language"], saved.get("reply"))
        self._report("layer", layer=Layer.ASR, progress=0.0)
        name = self._lender.name(Layer.ASR, job.language)
        with self._lender.costs(Layer.ASR, name) as costs:
            heard = self._transcribed(Path(job.media), name)
        self._check()
        self._report("output", part=0, data=asdict(heard), **costs.spent)
        return heard

    def _transcribed(self, media: Path, name: str) -> Heard:
        samples, _ = read_wav(media)
        asked = self._job.language
        try:
            said = self._said(samples, asked, name)
            if asked is None and said.language in MISTAKEN:
                said = self._said(samples, self._known_language, name)
        except (LanguageUnsupported, NotUnderstood) as error:
            return self._not_heard(error, name)
        return Heard(said.text, said.language if self._lender.speaks(said.language) else self._known_language)

    def _said(self, samples: NDArray[np.float32], language: str | None, name: str) -> Transcript:
        hints, names = spoken_questions(self._persona, "en"), hotwords(self._persona, language)

        def transcribe(engine: ASREngine) -> Transcript:
            return engine.transcribe(samples, language=language, hints=hints, names=names)

        return self._lender.call(Layer.ASR, name, transcribe)

    def _not_heard(self, error: LayerError, name: str) -> Heard:
        """A sentence in the language that was asked for or is known; of an engine that hears others alone, why."""
        language = self._known_language
        with self._lender.lent(Layer.ASR, name) as engine:
            foreign = bool(engine.needs.languages) and language not in engine.needs.languages
        if foreign and not isinstance(error, LanguageUnsupported):
            error = LanguageUnsupported(str(error))
        self._lender.step(name, error, "sentence")
        return Heard("", language, self._no_ear(language) if foreign else self._no_sense(language))

    def _no_ear(self, language: str) -> str:
        return t("error-asr-language", language, language=language, model=MISSING_EAR, command=FETCH)

    def _no_sense(self, language: str) -> str:
        topics = [answer.topic[language] for answer in self._persona.answers[:3] if language in answer.topic]
        return t("error-not-understood", language, examples=listed(topics, language))
