"""Speech as a model makes it, spoken by eSpeak: at the model's rate, neither levelled nor trimmed, never twice quite
the same.

It runs in the host's process. Arabic goes through the vowel marks of our own engine `espeak`.
"""

from __future__ import annotations

import hashlib
import os
import wave
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

from core.text import detect_language

Sound = NDArray[np.float32]
Said = NDArray[np.float64]
"""At 22 050 Hz."""

_KEPT: list[Path] = []

_LEVEL = 0.06
"""Root mean square of the speech: well below what a listener gets in the end."""
_BEFORE_S, _AFTER_S = 0.18, 0.42
_HISS = 3e-4
VARIANTS = ("m3", "m7", "m4", "f2", "f3", "steph")
"""Of eSpeak's: three men's voices and three women's."""
_AT_ONCE = 24
"""Words."""
_BETWEEN_HZ = 165.0
"""Between men's voices and women's."""


@dataclass(frozen=True)
class Manner:
    """variant: eSpeak's, that of a reference clip. faster: 1 is as usual. louder: the same. pitch: 0 to 100."""

    variant: str = ""
    faster: float = 1.0
    louder: float = 1.0
    pitch: int = 50


def speak(text: str, manner: Manner, rate: int, draw: int) -> Sound:
    """(n,) at `rate` Hz. draw: by chance: the pace, the pauses and the noise."""
    chance = np.random.default_rng(draw)
    pace = manner.faster * chance.uniform(0.97, 1.03)
    voiced = _voiced(text, manner, round(160 * pace))
    level = float(np.sqrt(np.mean(np.square(voiced)))) if voiced.size else 0.0
    voiced = voiced * (_LEVEL * manner.louder / max(level, 1e-6))
    edges = [np.zeros(round(seconds * 22_050 * chance.uniform(0.8, 1.2))) for seconds in (_BEFORE_S, _AFTER_S)]
    whole = np.concatenate([edges[0], voiced, edges[1]]) + chance.normal(0, _HISS, voiced.size + sum(map(len, edges)))
    return np.asarray(soxr.resample(whole, 22_050, rate), np.float32)


def keep_in(folder: Path) -> None:
    """What is said from now on is kept there, and taken from there by other processes too: eSpeak itself never says
    anything twice quite the same, and takes a second to start."""
    folder.mkdir(parents=True, exist_ok=True)
    _KEPT.append(folder)


def _voiced(text: str, manner: Manner, pace: int) -> Said:
    name = hashlib.sha256(f"{text}\n{manner}\n{pace}".encode()).hexdigest()
    path = _KEPT[-1] / f"{name}.npy" if _KEPT else None
    if path is not None and path.exists():
        return np.asarray(np.load(path), np.float64)
    sound = _spoken(text, manner, pace)
    if path is not None:
        draft = path.with_suffix(f".{os.getpid()}.npy")
        np.save(draft, sound)
        draft.replace(path)
    return sound


def _spoken(text: str, manner: Manner, pace: int) -> Said:
    """A few words at a time, since eSpeak slows down in long clauses."""
    words = text.split()
    parts = [" ".join(words[at : at + _AT_ONCE]) for at in range(0, len(words), _AT_ONCE)]
    said = [_said(part, manner, pace, detect_language(text) or "en") for part in parts]
    return np.concatenate(said or [np.zeros(0)])


def _said(text: str, manner: Manner, pace: int, language: str) -> Said:
    from worker.engines.tts.espeak.arabic import phonemes
    from worker.engines.tts.espeak.wire import Request

    name = f"{language}+{manner.variant}" if manner.variant else language
    request = Request(text, language, name, pace, manner.pitch, 50)
    if language == "ar":
        raw, _ = _library().speak(phonemes(_tashkeel()(text)), request, phonemes=True)
    else:
        raw, _ = _library().speak(text, request)
    return np.asarray(raw, np.float64) / 32768


@cache
def _library() -> Any:
    from worker.engines.tts.espeak.library import Library

    return Library()


@cache
def _tashkeel() -> Any:
    from worker.engines.tts.espeak.tashkeel import Tashkeel

    return Tashkeel()


@dataclass(frozen=True)
class Clip:
    """A WAV file's sound (n,), mixed to one channel, at its rate in Hz."""

    samples: Sound
    rate: int

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.rate

    @property
    def variant(self) -> str:
        """Of eSpeak's, one of about the same pitch; always the same for the same clip."""
        kind = VARIANTS[:3] if self.pitch < _BETWEEN_HZ else VARIANTS[3:]
        return kind[int(np.abs(self.samples).sum() * 1000) % 3]

    @property
    def pitch(self) -> float:
        """Hz, by the autocorrelation's highest peak between 70 and 350 Hz over the loudest second."""
        windows = self.samples[: len(self.samples) // self.rate * self.rate].reshape(-1, self.rate)
        if not windows.size:
            return _BETWEEN_HZ
        loudest = windows[np.square(windows).sum(1).argmax()]
        power = np.abs(np.fft.rfft(loudest, 2 * len(loudest))) ** 2
        likeness = np.fft.irfft(power)
        low, high = self.rate // 350, self.rate // 70
        return self.rate / (low + int(likeness[low:high].argmax()))


def read_clip(path: str | Path) -> Clip:
    """Raises RuntimeError for what is no WAV file, as soundfile does."""
    try:
        with wave.open(str(path), "rb") as source:
            raw = source.readframes(source.getnframes())
            width, channels, rate = source.getsampwidth(), source.getnchannels(), source.getframerate()
    except (OSError, EOFError, wave.Error) as error:
        raise RuntimeError(f"Error opening {str(path)!r}: {error or 'System error.'}") from error
    kind = {1: np.uint8, 2: np.int16, 4: np.int32}.get(width)
    if kind is None:
        raise RuntimeError(f"Error opening {str(path)!r}: Format not recognised.")
    values = np.frombuffer(raw, kind).astype(np.float32).reshape(-1, channels).mean(1)
    return Clip((values - (128 if width == 1 else 0)) / float(1 << (8 * width - 1)), rate)
