"""What is wrong with speech is told, and good speech is left alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import soxr
from numpy.typing import NDArray

from tests.flite import RATE, clips
from worker.voicing.faults import fault
from worker.voicing.lengths import Lengths

Sound = NDArray[np.float32]
Spoil = Callable[[Sound], Sound]
NOISE = np.random.default_rng(1)


def noisy(level: float) -> Spoil:
    return lambda sound: (sound + NOISE.normal(0, level, sound.size)).astype(np.float32)


def padded(before: float, after: float) -> Spoil:
    return lambda sound: np.pad(sound, (round(before * RATE), round(after * RATE)))


def first(share: float, silence: float = 0.0) -> Spoil:
    """So much of it, then nothing for so many seconds."""
    return lambda sound: np.pad(sound[: round(share * sound.size)], (0, round(silence * RATE)))


def torn(sound: Sound) -> Sound:
    return np.insert(sound, sound.size // 2, np.zeros(3 * RATE, np.float32))


def with_one(value: float) -> Spoil:
    def spoil(sound: Sound) -> Sound:
        spoiled = sound.copy()
        spoiled[100] = value
        return spoiled

    return spoil


@pytest.mark.parametrize("clip", clips(), ids=lambda clip: clip.text[:12])
@pytest.mark.parametrize(
    "spoil",
    [
        lambda sound: sound,
        lambda sound: (sound * 0.1).astype(np.float32),
        noisy(0.003),
        noisy(0.02),
        padded(0.5, 1.0),
        lambda sound: np.clip(sound * 2, -1, 1).astype(np.float32),
        lambda sound: (sound + 0.05).astype(np.float32),
        lambda sound: np.asarray(soxr.resample(sound, RATE, RATE * 1.3), np.float32),
        lambda sound: np.asarray(soxr.resample(sound, RATE, RATE * 0.75), np.float32),
    ],
    ids=["as it is", "faint", "noise", "much noise", "silence around", "loud", "a direct current", "slow", "quick"],
)
def test_good_speech_is_good(clip: object, spoil: Spoil) -> None:
    text, samples = clip.text, clip.samples  # type: ignore[attr-defined]
    assert fault(spoil(samples), RATE, Lengths.of(text, "en")) is None


@pytest.mark.parametrize(
    ("spoil", "found"),
    [
        (lambda sound: sound[:0], "empty"),
        (with_one(np.nan), "broken"),
        (with_one(-np.inf), "broken"),
        (np.zeros_like, "silent"),
        (lambda sound: sound * 1e-5, "silent"),
        (lambda sound: sound[:100], "silent"),
        (lambda sound: np.clip(sound * 12, -1, 1), "clipped"),
        (lambda sound: np.sign(sound), "clipped"),
        (lambda sound: np.tile(sound, 3), "runaway"),
        (padded(0.0, 20.0), "runaway"),
        (first(0.2), "short"),
        (first(0.1, 4.0), "short"),
        (lambda sound: 0.2 * np.sin(np.arange(sound.size) * 0.02), "monotone"),
        (lambda sound: NOISE.normal(0, 0.05, sound.size), "monotone"),
        (first(0.5, 3.0), "halted"),
        (torn, "halted"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize("place", [0, 3, 6])
def test_faults_are_found(place: int, spoil: Spoil, found: str) -> None:
    clip = clips()[place]
    assert fault(spoil(clip.samples).astype(np.float32), RATE, Lengths.of(clip.text or "", "en")) == found


@pytest.mark.parametrize("text", ["نعم.", "لا.", "آه", "I", "OK."])
def test_a_long_vowel_is_a_word(text: str) -> None:
    """Half a second of one sound, dying away."""
    time = np.arange(RATE // 2) / RATE
    vowel = (0.3 * np.sin(2 * np.pi * 140 * time) * np.exp(-2 * time)).astype(np.float32)
    assert fault(vowel, RATE, Lengths.of(text, "ar" if text > "z" else "en")) is None
