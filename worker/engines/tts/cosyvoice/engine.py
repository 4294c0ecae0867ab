"""The engine `cosyvoice`."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from core.catalogue import Voice
from core.errors import TTSError
from core.kinds import Tone
from core.text import detect_language
from worker.engines.base import Needs, Place
from worker.engines.tts.base import Speech
from worker.engines.tts.cosyvoice.hosted import SAMPLE_RATE
from worker.engines.tts.cosyvoice.instructions import manner
from worker.engines.tts.cosyvoice.learnt import Learnt
from worker.engines.tts.cosyvoice.minding import RATE
from worker.engines.tts.cosyvoice.places import WEIGHTS, program
from worker.engines.tts.cosyvoice.prompts import instructing, reciting, said
from worker.engines.tts.cosyvoice.recordings import Recording, check, recording
from worker.guard import closed
from worker.hosting.host import Host
from worker.voicing.lengths import Lengths
from worker.voicing.pauses import pause
from worker.voicing.surroundings import START_S

LANGUAGES = ("de", "en", "es", "fr", "it", "ja", "ko", "ru", "zh")

_GPU_MB = 4710
_SPEEDS = (0.5, 2.0)
_SEED = 1986
_BEYOND = 1.15
"""The share of the longest plausible speech at which it is cut: long enough to be known for a runaway."""


@dataclass(frozen=True)
class _Patience:
    """Seconds of silence: while it is started, while it looks at a recording (one thread of the processor reads 30 s
    in 25 s), and between two pieces or signs of life."""

    start: float
    learn: float
    piece: float

    @property
    def whole(self) -> float:
        """Until the first sound of a sentence whose process has died, and with it what it had learnt."""
        return self.start + self.learn + self.piece


_ON_CARD = _Patience(START_S, 180.0, 60.0)
_ON_CPU = _Patience(START_S, 300.0, 900.0)
"""The flow alone takes minutes there."""


class CosyVoice:
    """CosyVoice 3 0.5B at 24 kHz, in a process and an environment of its own.

    A voice's `[engines.cosyvoice]` table holds speed (0.5 to 2, 1 by default; a sub-table `en` … overrides it for one
    language). At speed 1 speech comes in pieces, else a sentence at a time.
    """

    name: ClassVar[str] = "cosyvoice"
    finished: ClassVar[bool] = False

    def __init__(self, place: Place) -> None:
        self._place = place
        self._patience = _ON_CPU if place.device == "cpu" else _ON_CARD
        self._host = Host(self.name, lambda: program(place), TTSError)
        self._learnt = Learnt()

    @classmethod
    def at(cls, place: Place) -> Self:
        return cls(place)

    @property
    def needs(self) -> Needs:
        return Needs(
            languages=LANGUAGES,
            gpu_mb=0 if self._place.device == "cpu" else _GPU_MB,
            elsewhere=True,
            weights=(WEIGHTS,),
            licence="Apache-2.0",
            patience_s=self._patience.whole,
            recording=True,
        )

    def look(self) -> str:
        """`CosyVoice 3 on cuda:0`. Raises ModelMissing, ConfigurationError."""
        program(self._place)
        return f"CosyVoice 3 on {self._place.device}"

    def load(self) -> None:
        self._host.start(self._patience.start)

    def unload(self) -> None:
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
        """Where the recording's words are known and in the language, take 0 of a sentence that is long enough is
        spoken with both in mind, or in an instructed tone; whatever else, and what failed, by the recording's sound
        alone. A text with nothing to say gives a pause."""
        spoken_language = _spoken_language(text, language)
        spoken = said(text, spoken_language)
        if not spoken:
            yield pause(text, tone, SAMPLE_RATE)
            return
        if spoken_language not in LANGUAGES:
            raise TTSError(f"CosyVoice 3 speaks {', '.join(LANGUAGES)} and not {spoken_language}")
        self._learnt.forget_gone()
        found = recording(voice, spoken_language)
        wanted = manner(tone, intensity)
        speed = _speed(voice, spoken_language) * wanted.pace
        recite = not wanted.instruction and found.recited(spoken, take)
        request = {
            "speaker": "-".join(map(str, found.stamp)),
            "prompt": reciting(found.words) if recite else instructing("" if take else wanted.instruction),
            "text": spoken,
            "recite": recite,
            "speed": speed,
            "seed": _SEED + take,
            "most_tokens": math.ceil(Lengths.of(text, spoken_language).most_s * speed * _BEYOND * RATE),
        }
        yield from self._spoken(request, voice, found)

    def _spoken(self, request: dict[str, Any], voice: Voice, found: Recording) -> Iterator[Speech]:
        """Introduces the speaker first where the host does not know it: it is new, or was sent away or died since."""
        private = (request["text"], found.words)
        for _ in range(2):
            lacks = False
            with closed(
                self._host.stream(
                    "speak", request, patience_s=self._patience.piece, start_s=self._patience.start, private=private
                )
            ) as pieces:
                for piece in pieces:
                    if lacks := "lacks" in piece.header:
                        break
                    if piece.payload:
                        sound = np.frombuffer(piece.payload, "<f4").astype(np.float32)
                        yield Speech(sound, piece.header["sample_rate"], None)
            if not lacks:
                return
            self._introduce(request["speaker"], voice, found)
        raise TTSError("CosyVoice's process forgot the voice at once: it died, or its memory is broken")

    def _introduce(self, speaker: str, voice: Voice, found: Recording) -> None:
        """Tells the host what was learnt of the recording, or has it learn. Raises TTSError."""
        if (learnt := self._learnt.of(found)) is not None:
            self._ask("remember", {"speaker": speaker, "learnt": learnt}, found)
            return
        check(voice, found.clip)
        self._learnt.keep(found, self._ask("learn", {"speaker": speaker, "clip": str(found.clip)}, found))

    def _ask(self, method: str, arguments: dict[str, Any], found: Recording) -> bytes:
        return self._host.ask(
            method,
            arguments,
            patience_s=self._patience.learn,
            start_s=self._patience.start,
            private=(found.words,),
        ).payload


def _spoken_language(text: str, language: str) -> str:
    """Arabic letters are not read in any other language; a Latin text of an Arabic turn is taken for English."""
    seen = detect_language(text)
    if seen == "ar":
        return "ar"
    return "en" if language not in LANGUAGES and seen == "en" else language


def _speed(voice: Voice, language: str) -> float:
    """Raises TTSError."""
    settings = voice.engines.get("cosyvoice", {})
    own = settings.get(language, {})
    speed = (own if "speed" in own else settings).get("speed", 1.0)
    if isinstance(speed, bool) or not isinstance(speed, int | float) or not _SPEEDS[0] <= speed <= _SPEEDS[1]:
        raise TTSError(f"voice {voice.id}: [engines.cosyvoice] speed = {speed!r} is no number from 0.5 to 2")
    return float(speed)
