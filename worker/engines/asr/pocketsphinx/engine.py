"""The engine `pocketsphinx`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from core.errors import LanguageUnsupported, NotUnderstood
from worker.engines.asr.base import SAMPLE_RATE, Transcript
from worker.engines.asr.pocketsphinx.english import EnglishSearch
from worker.engines.asr.pocketsphinx.questions import QuestionSearch
from worker.engines.asr.pocketsphinx.sound import pcm, speech_of
from worker.engines.asr.pocketsphinx.trust import confidence
from worker.engines.base import Needs

_MODEL_FOR_OTHERS = "FunAudioLLM/Fun-ASR-MLT-Nano-2512"
_LONGEST_S = 12.0
"""No question takes longer to ask; what does is something else."""
_SHORTEST_S = 0.25
_BORDER = 0.5


@dataclass(frozen=True)
class _Searches:
    questions: QuestionSearch
    english: EnglishSearch


class PocketSphinx:
    """Knows the sentences that it is given as hints, with what people say around them, and refuses the rest.

    Holds about 110 MB while it is loaded.
    """

    name: ClassVar[str] = "pocketsphinx"
    dictates: ClassVar[bool] = False
    needs: ClassVar[Needs] = Needs(languages=("en",), licence="BSD-2-Clause")

    def __init__(self) -> None:
        self._searches: _Searches | None = None

    def load(self) -> None:
        self._loaded()

    def unload(self) -> None:
        self._searches = None

    def transcribe(
        self, audio: NDArray[np.float32], *, language: str | None, hints: Sequence[str] = (), names: Sequence[str] = ()
    ) -> Transcript:
        """One of the English hints as it was given, and the probability that it is what was asked. Without a language
        the speech is tried as English."""
        if language not in (None, "en"):
            raise LanguageUnsupported(
                f"pocketsphinx has no model of the language {language}: {_MODEL_FOR_OTHERS} has, "
                "and `smarttalker models fetch` fetches it",
                language=language,
                model=_MODEL_FOR_OTHERS,
            )
        hint, sure = self._heard(_speech(audio), hints)
        if sure < _BORDER:
            raise NotUnderstood("what was said is none of the questions")
        return Transcript(hint, "en", sure)

    def _heard(self, raw: bytes, hints: Sequence[str]) -> tuple[str, float]:
        searches = self._loaded()
        grammar = searches.questions.prepare(hints)
        if grammar is None:
            raise NotUnderstood("this persona has no English questions to listen for")
        path = searches.questions.path(raw)
        hint = grammar.question_in([spoken.word for spoken in path if spoken.phones])
        if hint is None:
            return "", 0.0
        return hint, confidence(path, searches.english.path(raw))

    def _loaded(self) -> _Searches:
        if self._searches is None:
            self._searches = _Searches(QuestionSearch(), EnglishSearch())
        return self._searches


def _speech(audio: NDArray[np.float32]) -> bytes:
    speech = speech_of(audio)
    if speech is None:
        raise NotUnderstood("the recording is silent")
    if not _SHORTEST_S < speech.size / SAMPLE_RATE < _LONGEST_S:
        raise NotUnderstood(f"{speech.size / SAMPLE_RATE:.1f} s of speech can't be one of the questions")
    return pcm(speech)
