"""One finish for all voices: ends, loudness, pause, phonemes that move along, one sample rate."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import soxr

from core.kinds import Tone
from tests.flite import RATE, clips
from worker.engines.tts.base import Phoneme, Speech
from worker.loudness import CEILING, TARGET_LUFS, loudness
from worker.voicing.ends import FADE_S, KEPT_S
from worker.voicing.finishing import at_rate, finished
from worker.voicing.levels import FRAME_S, levels, sounding
from worker.voicing.pauses import pause_after


def silences(speech: Speech) -> tuple[float, float]:
    """Seconds before and after what is heard."""
    heard = sounding(levels(speech.samples, speech.sample_rate))
    where = np.nonzero(heard)[0]
    return float(where[0]) * FRAME_S, (heard.size - 1 - float(where[-1])) * FRAME_S


def raw(before: float, after: float, gain: float, offset: float, rate: int, place: int = 0) -> Speech:
    """As an engine may leave it."""
    clip = clips()[place]
    sound = np.pad(clip.samples * gain, (round(before * RATE), round(after * RATE))) + offset
    sound = sound if rate == RATE else soxr.resample(sound, RATE, rate)
    phonemes = tuple(Phoneme(each.ipa, each.start + before, each.end + before) for each in clip.phonemes or ())
    return Speech(sound.astype(np.float32), rate, phonemes)


@pytest.mark.parametrize("mark", [".", "؟", "،", "…"])
@pytest.mark.parametrize("tone", [Tone.NEUTRAL, Tone.GENTLE])
@pytest.mark.parametrize(
    ("before", "after", "gain", "offset", "rate"),
    [
        (0.0, 0.0, 1.0, 0.0, RATE),
        (0.5, 1.5, 0.15, 0.0, 24_000),
        (0.0, 0.8, 1.6, 0.02, 48_000),
        (1.0, 0, 0.4, 0, 16_000),
    ],
)
def test_whatever_an_engine_leaves_sounds_alike(
    before: float, after: float, gain: float, offset: float, rate: int, tone: Tone, mark: str
) -> None:
    made = finished(raw(before, after, gain, offset, rate), f"Text{mark}", tone)
    lead, rest = silences(made)
    assert lead == pytest.approx(KEPT_S, abs=0.021)
    assert rest == pytest.approx(pause_after(f"Text{mark}", tone), abs=0.031)
    assert loudness(made.samples, rate) == pytest.approx(TARGET_LUFS, abs=0.3)
    assert np.abs(made.samples).max() <= CEILING + 1e-3
    assert (made.samples.dtype, made.sample_rate) == (np.float32, rate)
    assert np.abs(made.samples[:2]).max() < 1e-3
    assert not made.samples[-1]


def test_phonemes_move_with_the_sound() -> None:
    plain, late = finished(raw(0, 0, 1, 0, RATE), "A.", Tone.CALM), finished(raw(0.7, 0.3, 1, 0, RATE), "A.", Tone.CALM)
    assert plain.phonemes is not None
    assert late.phonemes is not None
    assert [each.ipa for each in plain.phonemes] == [each.ipa for each in late.phonemes]
    for one, other in zip(plain.phonemes, late.phonemes, strict=True):
        assert (one.start, one.end) == pytest.approx((other.start, other.end), abs=0.011)
        assert 0 <= one.start < one.end <= plain.seconds
    assert finished(replace(raw(0, 0, 1, 0, RATE), phonemes=None), "A.", Tone.CALM).phonemes is None


def test_silence_is_the_pause_alone() -> None:
    made = finished(Speech(np.zeros(RATE, np.float32), RATE, None), "🙂", Tone.NEUTRAL)
    assert made.seconds == pytest.approx(pause_after("🙂", Tone.NEUTRAL))
    assert not made.samples.any()
    assert made.phonemes == ()


@pytest.mark.parametrize("rate", [16_000, 22_050, 24_000])
def test_another_sample_rate_moves_nothing(rate: int) -> None:
    speech = replace(finished(raw(0.2, 0.2, 1, 0, RATE), "A.", Tone.NEUTRAL), text="A.", language="en")
    made = at_rate(speech, rate)
    assert made.sample_rate == rate
    assert made.seconds == pytest.approx(speech.seconds, abs=1e-3)
    assert (made.phonemes, made.text, made.language) == (speech.phonemes, "A.", "en")
    assert loudness(made.samples, rate) == pytest.approx(TARGET_LUFS, abs=0.3)
    assert silences(made) == pytest.approx(silences(speech), abs=0.021)
    assert at_rate(speech, RATE) is speech


def test_the_fade_is_within_what_is_kept_of_silence() -> None:
    """So that no consonant loses its beginning."""
    assert FADE_S < KEPT_S
