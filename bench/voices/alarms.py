"""How often good speech is refused as implausible, and how much of what is not good is caught."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soxr

from bench.figures import Figures
from bench.flite import clips
from core.catalogue import Catalogue, Voice
from core.kinds import LANGUAGES
from core.settings import HOME
from core.text.sentences import sentences
from worker.engines.tts.espeak import Espeak
from worker.voicing.ends import extent
from worker.voicing.faults import fault
from worker.voicing.lengths import Lengths
from worker.voicing.levels import Sound

PACES = (90, 165, 240, 320)
"""eSpeak's words a minute: from its slowest here to its quickest."""
SPEEDS = (0.75, 1.0, 1.3)
"""Times as fast as Flite spoke."""
_USUAL = 165
_AVATARS = ("layla", "omar", "sara")
_STOP_S, _LONG_S = 3.0, 3.0
_FIFTH = 5
WORDS = {
    "ar": ("نعم.", "شكرًا.", "أهلًا بك.", "طبعًا.", "غدًا صباحًا."),
    "en": ("Yes.", "Thank you.", "Hello.", "Of course.", "Tomorrow."),
}
"""A word or two, whose usual length tells little."""


@dataclass(frozen=True)
class Said:
    """A sentence and its sound."""

    text: str
    language: str
    sound: Sound
    sample_rate: int

    @property
    def seconds(self) -> float:
        return self.sound.size / self.sample_rate

    @property
    def refused(self) -> bool:
        return fault(self.sound, self.sample_rate, Lengths.of(self.text, self.language)) is not None

    def spoilt(self, spoil: Callable[[Sound, int], Sound]) -> Said:
        """Without the silence around it, then spoilt."""
        start, end = extent(self.sound, self.sample_rate)
        return Said(self.text, self.language, spoil(self.sound[start:end], self.sample_rate), self.sample_rate)


SPOILS: Mapping[str, Callable[[Sound, int], Sound]] = {
    "runaways": lambda sound, _rate: np.tile(sound, 3),
    "silences": lambda sound, _rate: np.zeros_like(sound),
    "stops": lambda sound, rate: np.pad(sound[: sound.size // 2], (0, round(_STOP_S * rate))),
    "cuts": lambda sound, _rate: sound[: sound.size // _FIFTH],
}
"""Said three times; nothing; half of it and three seconds of silence; a fifth of it alone."""


def measure(most: int = 30) -> Figures:
    """most: sentences of the personas' answers in each language, evenly drawn. Shares of 0 to 1."""
    texts = {language: drawn(language, most) for language in LANGUAGES}
    engine = Espeak()
    try:
        espeak = {pace: list(_espeak(engine, texts, pace)) for pace in PACES}
        words = list(_espeak(engine, WORDS, _USUAL))
    finally:
        engine.unload()
    flite = {speed: list(_flite(speed)) for speed in SPEEDS}
    return {
        "alarms_flite": _refused(_all(flite)),
        "alarms_espeak": _refused(_all(espeak)),
        "alarms_words": _refused(words),
        "alarms_sentences": float(len(_all(flite)) + len(_all(espeak)) + len(words)),
        **_caught([*flite[1.0], *espeak[_USUAL]], words),
    }


def _caught(usual: Sequence[Said], words: Sequence[Said]) -> Figures:
    """Of sentences, of the long ones among them, and of single words."""
    figures: Figures = {}
    for name, spoil in SPOILS.items():
        figures[f"caught_{name}"] = _refused([each.spoilt(spoil) for each in usual])
        figures[f"caught_{name}_long"] = _refused([each.spoilt(spoil) for each in usual if each.seconds > _LONG_S])
        figures[f"caught_{name}_words"] = _refused([each.spoilt(spoil) for each in words])
    return figures


def drawn(language: str, most: int) -> list[str]:
    """Sentences of what the personas answer, as it is written."""
    personas = (Catalogue(HOME).avatar(name).persona for name in _AVATARS)
    texts = (answer.text.get(language, "") for persona in personas for answer in persona.answers)
    found = [sentence for text in texts for sentence in sentences(text)]
    return found[:: max(len(found) // most, 1)][:most]


def _flite(speed: float) -> Iterable[Said]:
    """Every clip; higher where it is quicker."""
    for clip in clips():
        sound = np.asarray(soxr.resample(clip.samples, clip.sample_rate * speed, clip.sample_rate), np.float32)
        yield Said(clip.text or "", "en", sound, clip.sample_rate)


def _espeak(engine: Espeak, texts: Mapping[str, Sequence[str]], pace: int) -> Iterable[Said]:
    """texts: by language."""
    voice = Voice("bench", {}, Path(), {"espeak": {"rate": pace}})
    for language, each in ((language, each) for language, some in texts.items() for each in some):
        (speech,) = engine.speak(each, language=language, voice=voice)
        yield Said(each, language, speech.samples, speech.sample_rate)


def _all(said: Mapping[Any, Sequence[Said]]) -> list[Said]:
    return [each for some in said.values() for each in some]


def _refused(said: Sequence[Said]) -> float:
    return sum(each.refused for each in said) / len(said)
