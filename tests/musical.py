"""Music, synthesised: (n,) float at SAMPLE_RATE of tests.spoken, 6 seconds or more."""

from __future__ import annotations

import numpy as np

from tests.spoken import SAMPLE_RATE, Sound

SCALE = (57, 60, 64, 62, 65, 60, 67, 64, 69, 67, 64, 60)
CHORDS = ((57, 60, 64), (53, 57, 60), (48, 55, 64), (55, 59, 62))


def _hertz(note: float) -> float:
    """Of a MIDI note."""
    return 440 * 2 ** ((note - 69) / 12)


def _tone(note: float, seconds: float, *, decay: float = 0.0, partials: int = 6) -> Sound:
    at = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    waves = sum(np.sin(2 * np.pi * _hertz(note) * part * at) / part for part in range(1, partials + 1))
    edges = np.minimum(np.minimum(at, seconds - at) / 0.01, 1)
    return np.asarray(waves * edges * np.exp(-decay * at), np.float32)


def _scaled(sound: Sound) -> Sound:
    return np.asarray(0.3 * sound / np.abs(sound).max(), np.float32)


def chords() -> Sound:
    """An organ."""
    return _scaled(np.concatenate([sum(_tone(note, 1.6) for note in chord) for chord in CHORDS]))


def plucked() -> Sound:
    """A guitar's tune: every note dies away, with a rest after it."""
    rest = np.zeros(round(0.1 * SAMPLE_RATE), np.float32)
    return _scaled(np.concatenate([part for note in SCALE for part in (_tone(note, 0.5, decay=4), rest)]))


def flute() -> Sound:
    """A tune without overtones, with breath."""
    tune = np.concatenate([_tone(note + 12, 0.5, partials=2) for note in SCALE])
    return _scaled(tune + np.random.default_rng(3).normal(0, 0.01, tune.size).astype(np.float32))


def sung() -> Sound:
    """Straight notes on changing vowels."""
    vowels = ((700, 1100), (300, 2300), (500, 900), (400, 2000))
    parts = []
    for index, note in enumerate(SCALE):
        at = np.arange(round(0.55 * SAMPLE_RATE)) / SAMPLE_RATE
        parted = np.arange(1, 30) * _hertz(note - 5)
        heights = sum(1 / (1 + ((parted - formant) / 120) ** 2) for formant in vowels[index % 4])
        waves = sum(height * np.sin(2 * np.pi * hertz * at) for hertz, height in zip(parted, heights, strict=True))
        parts.append(waves * np.minimum(np.minimum(at, 0.55 - at) / 0.04, 1))
    return _scaled(np.concatenate(parts).astype(np.float32))


def drums() -> Sound:
    """Kick and snare, four a second."""
    draw, parts = np.random.default_rng(4), []
    at = np.arange(SAMPLE_RATE // 4) / SAMPLE_RATE
    for beat in range(28):
        kick = np.sin(2 * np.pi * 60 * at * (1 + np.exp(-30 * at))) * np.exp(-12 * at)
        snare = draw.normal(0, 0.5, at.size) * np.exp(-25 * at)
        parts.append(kick if beat % 2 == 0 else snare)
    return _scaled(np.concatenate(parts).astype(np.float32))


def beneath(speech: Sound, music: Sound, below_db: float) -> Sound:
    """Speech over music that is so much weaker; both as long as the shorter."""
    length = min(len(speech), len(music))
    speech, music = speech[:length], music[:length]
    weight = np.sqrt(np.square(speech).mean() / np.square(music).mean()) * 10 ** (-below_db / 20)
    return np.asarray(speech + weight * music, np.float32)
