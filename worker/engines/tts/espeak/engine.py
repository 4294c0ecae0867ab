"""The engine `espeak`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any, ClassVar

import numpy as np

from core.catalogue import Voice
from core.errors import TTSError
from core.kinds import LANGUAGES, Tone
from core.text import detect_language, speakable
from worker.engines.base import Needs
from worker.engines.tts.base import Phoneme, Speech
from worker.engines.tts.espeak.process import HelperProcess
from worker.engines.tts.espeak.sound import finished
from worker.engines.tts.espeak.wire import Request

SAMPLE_RATE = 22_050

_PAUSE_S = 0.28
_SOFT_PAUSE_S = 0.12
_VARIANT = re.compile(r"[A-Za-z0-9]{0,20}\Z")
_DEFAULTS: dict[str, int] = {"rate": 165, "pitch": 50, "range": 50}
_LIMITS = {"rate": (90, 320), "pitch": (0, 99), "range": (0, 100)}
_TONES: dict[Tone, Mapping[str, int]] = {
    Tone.NEUTRAL: {},
    Tone.CHEERFUL: {"rate": 10, "pitch": 5, "range": 15},
    Tone.LIVELY: {"rate": 14, "pitch": 4, "range": 20},
    Tone.GENTLE: {"rate": -14, "pitch": -2, "range": -8},
    Tone.CALM: {"rate": -10, "pitch": -4, "range": -15},
}
"""What is added at full intensity, and half of it at none (the tone itself is a decision already made)."""


class Espeak:
    """Formant synthesis at 22 050 Hz with phoneme times.

    A voice's `[engines.espeak]` table holds variant (`f3`, `m1` …), rate (words a minute), pitch and range (0 to 100);
    a sub-table `ar` or `en` overrides them for one language.
    """

    name: ClassVar[str] = "espeak"
    needs: ClassVar[Needs] = Needs(languages=LANGUAGES, licence="GPL-3.0-or-later")

    def __init__(self) -> None:
        self._helper = HelperProcess()

    @property
    def helper_pid(self) -> int | None:
        """The helper's process id while it runs."""
        return self._helper.pid

    def load(self) -> None:
        self._helper.start()

    def unload(self) -> None:
        self._helper.stop()

    def speak(
        self, text: str, *, language: str, voice: Voice, tone: Tone = Tone.NEUTRAL, intensity: float = 0.0
    ) -> Iterator[Speech]:
        """One piece a sentence, followed by the pause that its last mark asks for. A text in the other script than
        `language` is spoken in its own; one with nothing to say gives the pause alone."""
        spoken_language = detect_language(text) or language
        if spoken_language not in LANGUAGES:
            raise TTSError(f"eSpeak is set up for {', '.join(LANGUAGES)} and not for {spoken_language}")
        spoken = speakable(text, spoken_language)
        if not spoken:
            yield Speech(np.zeros(round(_PAUSE_S * SAMPLE_RATE), np.float32), SAMPLE_RATE, ())
            return
        yield self._spoken(_request(spoken, spoken_language, voice, tone, intensity))

    def _spoken(self, request: Request) -> Speech:
        header, raw = self._helper.ask(asdict(request), timeout_s=10.0 + len(request.text) / 20)
        pause = _SOFT_PAUSE_S if request.text.endswith(("،", ",", ":", ";")) else _PAUSE_S
        sound = finished(np.frombuffer(raw, np.int16), header["sample_rate"], pause)
        return Speech(sound, header["sample_rate"], tuple(Phoneme(*timed) for timed in header["phonemes"]))


def _request(text: str, language: str, voice: Voice, tone: Tone, intensity: float) -> Request:
    settings = voice.engines.get("espeak", {})
    settings = {**settings, **settings.get(language, {})}
    variant = str(settings.get("variant", ""))
    if not _VARIANT.match(variant):
        raise TTSError(f"voice {voice.id}: {variant!r} is no variant of eSpeak")
    numbers = {name: _setting(name, settings, tone, intensity) for name in _DEFAULTS}
    return Request(text, language, f"{language}+{variant}" if variant else language, **numbers)


def _setting(name: str, settings: Mapping[str, Any], tone: Tone, intensity: float) -> int:
    strength = 0.5 + 0.5 * min(max(intensity, 0.0), 1.0)
    value = int(settings.get(name, _DEFAULTS[name])) + round(_TONES[tone].get(name, 0) * strength)
    lowest, highest = _LIMITS[name]
    return min(max(value, lowest), highest)
