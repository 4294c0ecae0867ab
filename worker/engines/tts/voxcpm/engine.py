"""The engine `voxcpm`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Self

import numpy as np

from core.catalogue import Reference, Voice
from core.errors import TTSError
from core.kinds import Tone
from core.logging import get_logger
from core.text import detect_language
from worker.engines.base import Needs, Place
from worker.engines.tts.base import Speech
from worker.engines.tts.voxcpm.places import WEIGHTS, program
from worker.engines.tts.voxcpm.styles import style
from worker.engines.tts.voxcpm.wording import said
from worker.guard import closed
from worker.hosting.host import Host
from worker.voicing.clips import check
from worker.voicing.lengths import Lengths
from worker.voicing.pauses import pause
from worker.voicing.surroundings import START_S

log = get_logger(__name__)

SAMPLE_RATE = 48_000
"""As published; a pause has it. Speech has what the model says."""
LANGUAGES = (
    *("ar", "da", "de", "el", "en", "es", "fi", "fil", "fr", "he", "hi", "id", "it", "ja", "km", "ko", "lo", "ms"),
    *("my", "nl", "no", "pl", "pt", "ru", "sv", "sw", "th", "tr", "vi", "zh"),
)
_OTHER_SCRIPTS = frozenset(("ar", "el", "he", "hi", "ja", "km", "ko", "lo", "my", "ru", "th", "zh"))
"""Languages that are not written in Latin letters."""

_GPU_MB = 8192
_SEED = 42
_PIECE_S = {"cpu": 300.0, "cuda": 60.0}
"""A piece of 160 ms is some seconds' work of a slow processor; the first also hears the recording and the text."""
_LEAST_RATE = 8000
"""Hertz of a recording; it is heard at 16,000, but a telephone's sounds like its speaker too."""
_STOPS = ".!?؟…。！？"
_WORTH_S = 180.0
"""Seconds of speech in one stay on a large card, below which compiling before the next takes more than it saves."""


class VoxCPM:
    """VoxCPM2 at 48 kHz, in the voice of a recording, in a process and an environment of its own.

    A voice's `[engines.voxcpm]` table, and a sub-table `ar` … for one language, hold:

    style: a few words about the voice, said to the model before each sentence together with the tone.
    exact = true: where the words of a recording in the language are known, the model goes on from it. That is closest
    to the person ("ultimate cloning"), but knows neither style nor tone, and now and then begins with the recording's
    last syllable; without it the recording lends its sound alone.
    """

    name: ClassVar[str] = "voxcpm"
    finished: ClassVar[bool] = False

    def __init__(self, place: Place) -> None:
        self._place = place
        self._kind = "cpu" if place.device == "cpu" else "cuda"
        self._stays: bool | None = None
        self._spoken_s = 0.0
        self._host = Host(self.name, lambda: program(place, self._stays), TTSError)

    @classmethod
    def at(cls, place: Place) -> Self:
        return cls(place)

    @property
    def needs(self) -> Needs:
        return Needs(
            languages=LANGUAGES,
            gpu_mb=0 if self._kind == "cpu" else _GPU_MB,
            elsewhere=True,
            weights=(WEIGHTS,),
            licence="Apache-2.0",
            patience_s=START_S + _PIECE_S[self._kind],  # of a sentence whose process has died
            recording=True,
        )

    def look(self) -> str:
        """`VoxCPM2 on cuda:0`. Raises ModelMissing."""
        program(self._place)
        return f"VoxCPM2 on {self._place.device}"

    def load(self) -> None:
        if self._host.pid is None:
            self._host.start(START_S)
            self._spoken_s = 0.0
            self._tell()

    def unload(self) -> None:
        if self._host.pid is not None:
            self._stays = self._spoken_s >= _WORTH_S
        self._host.stop()

    def interrupt(self) -> None:
        self._host.interrupt()

    def memory_mb(self) -> int:
        """MiB of the card that the host says it holds."""
        return self._host.gpu_mb

    def speak(
        self,
        text: str,
        *,
        language: str,
        voice: Voice,
        tone: Tone = Tone.NEUTRAL,
        intensity: float = 0.0,
        take: int = 0,
    ) -> Iterator[Speech]:
        """Pieces of 160 ms. A text that mixes Arabic and Latin letters is spoken in one go. A text with nothing to say
        gives a pause."""
        spoken_language = _spoken_language(text, language)
        spoken = said(text, spoken_language)
        if not spoken:
            yield pause(text, tone, SAMPLE_RATE)
            return
        if spoken_language not in LANGUAGES:
            raise TTSError(f"VoxCPM2 does not know the language {spoken_language}")
        settings, reference = _settings(voice, spoken_language), _reference(voice, spoken_language)
        words = _words(settings, reference, spoken_language)
        asked = "" if words else style(str(settings.get("style", "")), tone, intensity)
        request: dict[str, Any] = {
            "text": f"{asked}{spoken}",
            "clip": str(reference.clip.absolute()),
            "words": words,
            "most_s": Lengths.of(text, spoken_language).most_s,
            "seed": _SEED + take,
        }
        yield from self._pieces(request, (request["text"], spoken, words or spoken))

    def _pieces(self, request: Mapping[str, Any], private: tuple[str, ...]) -> Iterator[Speech]:
        self.load()
        patience_s = _PIECE_S[self._kind]
        stream = self._host.stream("speak", request, patience_s=patience_s, start_s=START_S, private=private)
        with closed(stream) as pieces:
            for piece in pieces:
                sound = np.frombuffer(piece.payload, np.float32).clip(-1.0, 1.0)
                speech = Speech(sound, int(piece.header["sample_rate"]), None)
                self._spoken_s += speech.seconds
                yield speech

    def _tell(self) -> None:
        """Into the log, whether it is as quick as it could be."""
        state = self._host.ask("state", {}, patience_s=_PIECE_S[self._kind], start_s=START_S).header
        log.info("voxcpm_ready", compiled=not state["eager"], why=state["eager"], sample_rate=state["sample_rate"])


def _spoken_language(text: str, language: str) -> str:
    """Arabic letters are read in no other language, and Latin ones as English where `language` has others."""
    seen = detect_language(text)
    if seen == "ar":
        return "ar"
    return "en" if seen == "en" and language in _OTHER_SCRIPTS else language


def _settings(voice: Voice, language: str) -> Mapping[str, Any]:
    """The voice's `[engines.voxcpm]` table for the language."""
    settings = voice.engines.get("voxcpm", {})
    own = settings.get(language)
    return {**settings, **own} if isinstance(own, Mapping) else settings


def _reference(voice: Voice, language: str) -> Reference:
    """Raises TTSError."""
    reference = voice.reference(language)
    if reference is None:
        raise TTSError(f"voice {voice.id} has no recording: VoxCPM2 speaks like one, and not without")
    check(voice, reference.clip, _LEAST_RATE)
    return reference


def _words(settings: Mapping[str, Any], reference: Reference, language: str) -> str | None:
    """What is said in the recording, where the speech is to go on from it."""
    if settings.get("exact") is not True or reference.language != language or not reference.transcript:
        return None
    words = said(reference.transcript, language)
    # What is to be said follows without a blank of its own.
    return f"{words}{'' if words[-1] in _STOPS else '.'} " if words else None
