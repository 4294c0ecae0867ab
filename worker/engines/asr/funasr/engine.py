"""The engine `funasr`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from core.errors import LanguageUnsupported, ModelMissing, NotUnderstood
from core.weights.folder import folder_of
from worker.engines.asr.base import Transcript
from worker.engines.asr.funasr.decoding import Decoded, Decoder, usable_names
from worker.engines.asr.funasr.failing import asr_errors
from worker.engines.asr.funasr.languages import CHINESE_ENGLISH_JAPANESE, NAMES, language_of, primary
from worker.engines.asr.funasr.listening import Listener
from worker.engines.asr.funasr.speech import SpeechFinder
from worker.engines.asr.funasr.writing import joined
from worker.engines.base import Needs, Place
from worker.networks.memory import give_back

MULTILINGUAL, CHIEF = "fun-asr-mlt-nano", "fun-asr-nano"
"""Names in models/manifest.toml: the one for all 31 languages, and the better one for Chinese, English and Japanese."""
_TITLES = {MULTILINGUAL: "Fun-ASR MLT Nano", CHIEF: "Fun-ASR Nano"}
_GPU_MB = 3000
"""Of one: 0.9 GB of encoder in float32, 1.2 GB of language model in bfloat16, the rest to work with."""
_PATIENCE_S = {"cpu": 900.0, "cuda": 240.0}
"""Five minutes of speech at three times their length on a slow processor; on a card, reading 2 GB from a slow disk."""

Sound = NDArray[np.float32]


@dataclass(frozen=True)
class _Loaded:
    speech: SpeechFinder
    decoders: Mapping[str, Decoder]


class FunASR:
    """Fun-ASR MLT Nano, and for Chinese, English and Japanese Fun-ASR Nano where its weights are here too.

    The same sound, language and names give the same text on one machine.
    """

    name: ClassVar[str] = "funasr"
    dictates: ClassVar[bool] = True

    def __init__(self, place: Place) -> None:
        self._place = place
        self._loaded: _Loaded | None = None

    @classmethod
    def at(cls, place: Place) -> Self:
        return cls(place)

    @property
    def needs(self) -> Needs:
        """Of the weights that are here; the multilingual ones must be."""
        weights = self._weights()
        on_card = self._place.device != "cpu"
        return Needs(
            languages=tuple(NAMES),
            gpu_mb=_GPU_MB * len(weights) if on_card else 0,
            weights=weights,
            packages=("torch", "transformers", "funasr", "silero_vad"),
            licence="Apache-2.0",
            patience_s=_PATIENCE_S["cuda" if on_card else "cpu"],
        )

    def look(self) -> str:
        for name in self._weights():
            folder_of(self._place.models, name)
        return f"{' and '.join(_TITLES[name] for name in self._weights())} on {self._place.device}"

    def load(self) -> None:
        """Raises ModelMissing, and ASRError for weights that are broken or do not fit into memory."""
        self._ready()

    def unload(self) -> None:
        if self._loaded is not None:
            self._loaded = None
            give_back()

    def transcribe(
        self, audio: Sound, *, language: str | None, hints: Sequence[str] = (), names: Sequence[str] = ()
    ) -> Transcript:
        """What is said in all stretches of speech, in order.

        hints: not used; whole sentences would be said back. names: the persona's proper names, the chief ones first,
        in the languages that may be spoken; the first 40 usable ones become hotwords. Without a language the model
        finds it out, and the text's script and words tell which it was.

        confidence: the geometric mean of the tokens' probabilities. It orders recordings, but is no share of right
        ones. Raises NotUnderstood for silence, noise, music, and where what the model wrote can't have been said.
        """
        asked = _known(language)
        with asr_errors("while it listened", "send the note again, or restart the worker if that goes on"):
            loaded = self._ready()
            sound = np.nan_to_num(audio, posinf=1.0, neginf=-1.0)
            segments = loaded.speech.segments(sound)
            if not segments:
                raise NotUnderstood("nothing was said")
            listener = Listener(self._decoder(loaded, asked), asked, usable_names(names))
            heard = [found for segment in segments if (found := listener.heard(sound, segment)) is not None]
        if not heard:
            raise NotUnderstood("what was said could not be made out")
        text = joined(decoded.text for decoded in heard)
        return Transcript(text, asked or language_of(text) or "en", _confidence(heard))

    def _decoder(self, loaded: _Loaded, language: str | None) -> Decoder:
        chief = language in CHINESE_ENGLISH_JAPANESE and CHIEF in loaded.decoders
        return loaded.decoders[CHIEF if chief else MULTILINGUAL]

    def _ready(self) -> _Loaded:
        if self._loaded is None:
            folders = {name: folder_of(self._place.models, name) for name in self._weights()}
            remedy = "; ".join(f"`smarttalker models verify {name}` tells what is wrong with them" for name in folders)
            with asr_errors("while its weights were loaded", remedy):
                decoders = {name: Decoder(folder, self._place.device) for name, folder in folders.items()}
                self._loaded = _Loaded(SpeechFinder(), decoders)
            give_back()  # the copies that loading made
        return self._loaded

    def _weights(self) -> tuple[str, ...]:
        if self._loaded is not None:
            return tuple(self._loaded.decoders)
        try:
            folder_of(self._place.models, CHIEF)
        except ModelMissing:
            return (MULTILINGUAL,)
        return (MULTILINGUAL, CHIEF)


def _known(language: str | None) -> str | None:
    tag = primary(language) if language else None
    if tag is not None and tag not in NAMES:
        raise LanguageUnsupported(
            f"Fun-ASR knows no {language}: its languages are {', '.join(NAMES)}", language=language
        )
    return tag


def _confidence(heard: Sequence[Decoded]) -> float:
    tokens = sum(decoded.tokens for decoded in heard)
    return math.exp(sum(decoded.log_probability for decoded in heard) / max(tokens, 1))
