"""The engine `espeak`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from core.catalogue import Voice
from core.errors import TTSError
from core.kinds import LANGUAGES, Tone
from core.text import detect_language, speakable
from worker.engines.base import Needs
from worker.engines.tts.base import Phoneme, Speech
from worker.engines.tts.espeak.prosody import settings_for
from worker.engines.tts.espeak.sound import finished
from worker.engines.tts.espeak.spectrum import CALIBRATION, Filter, correction
from worker.engines.tts.espeak.synthesiser import Synthesiser
from worker.engines.tts.espeak.wire import Request
from worker.voicing.pauses import pause, pause_after

SAMPLE_RATE = 22_050

_VARIANT = re.compile(r"[A-Za-z0-9]{0,20}\Z")
_MOST_FILTERS = 64


class Espeak:
    """Formant synthesis at 22 050 Hz with phoneme times.

    A voice's `[engines.espeak]` table holds variant (`f3`, `m1` …), rate (words a minute), pitch and range (0 to 100);
    a sub-table `ar` or `en` overrides them for one language.
    """

    name: ClassVar[str] = "espeak"
    needs: ClassVar[Needs] = Needs(languages=LANGUAGES, licence="GPL-3.0-or-later")
    finished: ClassVar[bool] = True

    def __init__(self) -> None:
        self._synthesiser = Synthesiser()
        self._filters: dict[Request, Filter] = {}

    @property
    def host_pid(self) -> int | None:
        """The id of the process that holds the library, while it runs."""
        return self._synthesiser.pid

    def load(self) -> None:
        self._synthesiser.start()

    def unload(self) -> None:
        self._synthesiser.stop()
        self._filters.clear()

    def interrupt(self) -> None:
        self._synthesiser.interrupt()

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
        """One piece a sentence, followed by the pause that its last mark asks for. A text in the other script than
        `language` is spoken in its own; one with nothing to say gives the pause alone."""
        spoken_language = detect_language(text) or language
        if spoken_language not in LANGUAGES:
            raise TTSError(f"eSpeak is set up for {', '.join(LANGUAGES)} and not for {spoken_language}")
        spoken = speakable(text, spoken_language)
        if not spoken:
            yield pause(text, tone, SAMPLE_RATE)
            return
        neutral = _request(CALIBRATION[spoken_language], spoken_language, voice, Tone.NEUTRAL, 0.0)
        yield self._spoken(
            _request(spoken, spoken_language, voice, tone, intensity), self._filter(neutral), pause_after(text, tone)
        )

    def _spoken(self, request: Request, taps: Filter, pause_s: float) -> Speech:
        said = self._synthesiser.speak(request)
        sound = finished(said.samples, said.sample_rate, pause_s, taps)
        return Speech(sound, said.sample_rate, tuple(Phoneme(*timed) for timed in said.phonemes))

    def _filter(self, calibration: Request) -> Filter:
        """The voice's correction, made when it first speaks a language (about 40 ms)."""
        if calibration not in self._filters:
            said = self._synthesiser.speak(calibration)
            if len(self._filters) >= _MOST_FILTERS:
                self._filters.clear()
            self._filters[calibration] = correction(said.samples.astype(np.float32) / 32768.0, said.sample_rate)
        return self._filters[calibration]


def _request(text: str, language: str, voice: Voice, tone: Tone, intensity: float) -> Request:
    settings = voice.engines.get("espeak", {})
    settings = {**settings, **settings.get(language, {})}
    variant = str(settings.get("variant", ""))
    if not _VARIANT.match(variant):
        raise TTSError(f"voice {voice.id}: {variant!r} is no variant of eSpeak")
    name = f"{language}+{variant}" if variant else language
    return Request(text, language, name, **settings_for(settings, tone, intensity))
