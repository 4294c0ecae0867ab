"""Against the cases that the standards give: ITU-R BS.1770-4 and EBU Tech 3341 (for one channel, so 3 LU less)."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from worker.loudness import CEILING, levelled, loudness

Sound = NDArray[np.float32]


def sine(dbfs: float, seconds: float, rate: int = 48_000, hz: float = 1000.0) -> Sound:
    time = np.arange(round(seconds * rate)) / rate
    return (10 ** (dbfs / 20) * np.sin(2 * np.pi * hz * time)).astype(np.float32)


def speechlike(level: float, rate: int = 22_050) -> Sound:
    """Bursts of noise with peaks far above their mean."""
    noise = np.random.default_rng(3).laplace(0, 1, 4 * rate)
    bursts = np.clip(np.sin(2 * np.pi * 2.5 * np.arange(noise.size) / rate), 0, 1)
    return (level * noise * bursts).astype(np.float32)


@pytest.mark.parametrize("rate", [16_000, 22_050, 24_000, 44_100, 48_000])
@pytest.mark.parametrize("dbfs", [0.0, -23.0, -33.0])
def test_a_sine_of_997_hz(rate: int, dbfs: float) -> None:
    assert loudness(sine(dbfs, 3, rate, 997.0), rate) == pytest.approx(dbfs - 3.01, abs=0.1)


@pytest.mark.parametrize(
    ("parts", "lufs"),
    [
        ([(-36, 10), (-23, 60), (-36, 10)], -26.0),  # Tech 3341, case 3: the quiet ends are gated
        ([(-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)], -26.0),  # case 4
        ([(-26, 20), (-20, 20.1), (-26, 20)], -26.0),  # case 5: all of it counts
    ],
)
def test_gates(parts: list[tuple[float, float]], lufs: float) -> None:
    sound = np.concatenate([sine(dbfs, seconds, 16_000) for dbfs, seconds in parts])
    assert loudness(sound, 16_000) == pytest.approx(lufs, abs=0.1)


@pytest.mark.parametrize(("hz", "more"), [(100.0, -1.8), (1000.0, 0.0), (4000.0, 3.3), (8000.0, 3.3)])
def test_the_ear_hears_high_sounds_better(hz: float, more: float) -> None:
    assert loudness(sine(-20, 2, hz=hz), 48_000) == pytest.approx(-23.0 + more, abs=0.3)


@pytest.mark.parametrize("samples", [0, 10, 4800])
def test_silence_has_none(samples: int) -> None:
    silence = np.zeros(samples, np.float32)
    assert loudness(silence, 48_000) == -math.inf
    assert levelled(silence, 48_000) is silence


@pytest.mark.parametrize("level", [0.02, 0.1, 0.3])
@pytest.mark.parametrize("target", [-16.0, -23.0])
def test_any_speech_comes_to_the_target_below_the_ceiling(level: float, target: float) -> None:
    out = levelled(speechlike(level), 22_050, target)
    assert loudness(out, 22_050) == pytest.approx(target, abs=0.5)
    assert float(np.abs(out).max()) <= CEILING + 1e-6
    assert out.dtype == np.float32


def test_a_short_word_counts_as_one_block() -> None:
    assert loudness(levelled(sine(-30, 0.2), 48_000), 48_000) == pytest.approx(-16.0, abs=0.2)


def test_what_is_hardly_there_is_not_blown_up() -> None:
    assert float(np.abs(levelled(sine(-60, 1), 48_000)).max()) < 10 ** (-35 / 20)


def test_the_limiter_makes_no_click() -> None:
    """A lone peak is turned down by a gain that changes slowly: what is around it keeps its shape."""
    sound = sine(-20, 1, 22_050, 220.0)
    sound[11_000] = 1.0
    out = levelled(sound, 22_050)
    gain = out[1:] / np.where(np.abs(sound[1:]) > 1e-3, sound[1:], np.nan)
    assert float(np.nanmax(np.abs(np.diff(gain)))) < 0.05
