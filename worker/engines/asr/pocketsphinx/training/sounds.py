"""Speech to measure a recogniser with: many voices, noise, levels, silence around it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache

import numpy as np
import soxr
from numpy.typing import NDArray

from worker.engines.asr.base import SAMPLE_RATE
from worker.engines.tts.espeak.synthesiser import Synthesiser
from worker.engines.tts.espeak.wire import Request

Sound = NDArray[np.float32]
Random = np.random.Generator

VOICES: Mapping[str, tuple[str, int, int]] = {
    "British man": ("en", 165, 50),
    "British woman": ("en+f1", 160, 50),
    "low British man": ("en+m3", 175, 45),
    "American man": ("en-us", 165, 50),
    "American woman": ("en-us+f2", 155, 50),
    "quick American": ("en-us+m4", 200, 50),
    "slow woman": ("en+f2", 120, 50),
    "Scottish man": ("en-gb-scotland+m1", 160, 50),
    "Southern Englishwoman": ("en-gb-x-rp+f5", 160, 50),
    "Klatt's man": ("en-us+klatt", 160, 50),
    "Klatt's woman": ("en+klatt4", 165, 50),
}
"""eSpeak's voice, words a minute and pitch."""
NOISES = ("none", "white", "pink", "babble")
SNR_DB = 15.0

_LOUD = 0.01
_QUIETEST = 0.003
_LEVELS = (1.0, 0.1, 0.4)
_MOST_SILENCE_S = 1.0
_TALKERS = ("low British man", "American woman", "Scottish man", "Southern Englishwoman", "Klatt's man")
_TALK = (
    "the committee met again on thursday to discuss the new plans for the harbour and the old market square",
    "she opened the letter slowly and read every line twice before she looked up at him and smiled",
    "they walked along the river until the lights of the town disappeared behind the hills in the west",
)


class Speaker:
    """eSpeak with any of its voices; ends with `close`."""

    def __init__(self) -> None:
        self._synthesiser = Synthesiser()

    def close(self) -> None:
        self._synthesiser.stop()

    def say(self, text: str, voice: str, language: str = "en") -> Sound:
        """(n,) at 16 kHz. language `ar`: the same speaker's Arabic."""
        name, rate, pitch = VOICES[voice]
        if language != "en":
            name = "+".join([language, *name.split("+")[1:]])
        said = self._synthesiser.speak(Request(text, language, name, rate, pitch, 50))
        sound = said.samples.astype(np.float32) / 32768
        return np.asarray(soxr.resample(sound, said.sample_rate, SAMPLE_RATE), np.float32)

    @lru_cache(maxsize=1)  # noqa: B019  # one speaker lives as long as its talk
    def talk(self) -> Sound:
        """Ten seconds of several people at once."""
        voices = [self.say(_TALK[place % len(_TALK)], voice) for place, voice in enumerate(_TALKERS)]
        together = [np.resize(voice, 10 * SAMPLE_RATE) / _rms(voice) for voice in voices]
        return np.asarray(np.sum(together, axis=0), np.float32)


def spoiled(sound: Sound, noise: str, talk: Sound, seed: int) -> Sound:
    """Silence of up to a second before and after, noise at `SNR_DB` below the speech (`none`: 50 dB), another level."""
    random = np.random.default_rng(seed)
    before, after = (np.zeros(int(random.uniform(0, _MOST_SILENCE_S) * SAMPLE_RATE), np.float32) for _ in range(2))
    whole = np.concatenate([before, sound, after])
    below = 50.0 if noise == "none" else SNR_DB
    loud = sound[np.abs(sound) > _LOUD]
    level = max(_rms(loud), _QUIETEST) if loud.size else _QUIETEST
    around = _NOISES[noise](whole.size, talk, random)
    mixed = whole + around / _rms(around) * level * 10 ** (-below / 20)
    return np.asarray(mixed * _LEVELS[seed % len(_LEVELS)], np.float32)


def _white(size: int, _: Sound, random: Random) -> Sound:
    return random.normal(size=size).astype(np.float32)


def _pink(size: int, _: Sound, random: Random) -> Sound:
    spectrum = np.fft.rfft(random.normal(size=size))
    falling = spectrum / np.sqrt(np.maximum(np.arange(spectrum.size), 1))
    return np.asarray(np.fft.irfft(falling, size), np.float32)


def _babble(size: int, talk: Sound, random: Random) -> Sound:
    return np.resize(np.roll(talk, int(random.integers(talk.size))), size)


_NOISES: Mapping[str, Callable[[int, Sound, Random], Sound]] = {
    "none": _white,
    "white": _white,
    "pink": _pink,
    "babble": _babble,
}


def _rms(sound: Sound) -> float:
    return float(np.sqrt(np.mean(np.square(sound))))
