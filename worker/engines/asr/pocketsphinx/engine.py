"""The engine `pocketsphinx`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from core.errors import LanguageUnsupported, NotUnderstood
from worker.engines.asr.base import SAMPLE_RATE, Transcript
from worker.engines.asr.pocketsphinx.decoder import Decoded, GrammarDecoder
from worker.engines.asr.pocketsphinx.grammar import sentences_of
from worker.engines.asr.pocketsphinx.sound import pcm, speech_of
from worker.engines.base import Needs

_MODEL_FOR_OTHERS = "FunAudioLLM/Fun-ASR-MLT-Nano-2512"
_LONGEST_S = 12.0
"""No question takes longer to ask; what does is something else."""
_SHORTEST_S = 0.25
_LEAST_MERIT = -4.65
_USUAL_PACE = 9.0
_DRAG = 0.3
"""Fitted to synthesised speech of eight voices, clean and with noise at 20 dB, on the questions of three personas:
94 % of 192 are accepted and right, one is wrong; 88 % of 150 other English sentences and 96 % of 111
Arabic ones are refused."""
_STEEPNESS = 1.2


class PocketSphinx:
    """Knows the sentences that it is given as hints, and refuses the rest."""

    name: ClassVar[str] = "pocketsphinx"
    needs: ClassVar[Needs] = Needs(languages=("en",), licence="BSD-2-Clause")

    def __init__(self) -> None:
        self._decoder: GrammarDecoder | None = None

    def load(self) -> None:
        if self._decoder is None:
            self._decoder = GrammarDecoder()

    def unload(self) -> None:
        self._decoder = None

    def transcribe(self, audio: NDArray[np.float32], *, language: str | None, hints: Sequence[str] = ()) -> Transcript:
        """One of the English hints as it was given. Without a language the speech is tried as English."""
        if language not in (None, "en"):
            raise LanguageUnsupported(
                f"pocketsphinx has no model of the language {language}: {_MODEL_FOR_OTHERS} has, "
                "and `smarttalker models fetch` fetches it",
                language=language,
                model=_MODEL_FOR_OTHERS,
            )
        speech, sentences = speech_of(audio), sentences_of(hints)
        if speech is None:
            raise NotUnderstood("the recording is silent")
        if not sentences:
            raise NotUnderstood("this persona has no English questions to listen for")
        if not _SHORTEST_S < speech.size / SAMPLE_RATE < _LONGEST_S:
            raise NotUnderstood(f"{speech.size / SAMPLE_RATE:.1f} s of speech can't be one of the questions")
        self.load()
        assert self._decoder is not None
        found = self._decoder.decode(pcm(speech), list(sentences))
        if found is None or _merit(found) < _LEAST_MERIT:
            raise NotUnderstood("what was said is none of the questions")
        return Transcript(sentences[found.words], "en", _confidence(found))


def _merit(found: Decoded) -> float:
    """The decoder always finds something: speech of another kind fits its sounds badly, or drags them out."""
    return found.fit - _DRAG * max(found.pace - _USUAL_PACE, 0.0)


def _confidence(found: Decoded) -> float:
    """0.5 at the border of what is believed."""
    return 1.0 / (1.0 + math.exp(_STEEPNESS * (_LEAST_MERIT - _merit(found))))
