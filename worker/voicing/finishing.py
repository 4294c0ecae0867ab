"""One finish for the speech of every engine that leaves it raw: a sentence's own sound, its loudness, its pause."""

from __future__ import annotations

import numpy as np
import soxr
from numpy.typing import NDArray

from core.kinds import Tone
from worker.engines.tts.base import Phoneme, Speech
from worker.loudness import levelled
from worker.voicing.ends import FADE_S, KEPT_S, extent, fade
from worker.voicing.pauses import pause, pause_after


def finished(speech: Speech, text: str, tone: Tone) -> Speech:
    """A whole sentence without the silence around it, at TARGET_LUFS, faded at its ends, with the pause after it that
    its last mark asks for. Phonemes move with the sound. Silence becomes the pause alone."""
    rate = speech.sample_rate
    start, end = extent(speech.samples, rate)
    if start == end:
        return pause(text, tone, rate)
    sound = levelled(_centred(speech.samples[start:end]), rate)
    fade(sound, round(FADE_S * rate))
    rest = np.zeros(round(max(pause_after(text, tone) - KEPT_S, 0.0) * rate), np.float32)
    return Speech(np.concatenate([sound, rest]), rate, _moved(speech.phonemes, start / rate, (end - start) / rate))


def at_rate(speech: Speech, sample_rate: int) -> Speech:
    """The same at another sample rate; nothing moves in time."""
    if speech.sample_rate == sample_rate:
        return speech
    sound = np.asarray(soxr.resample(speech.samples, speech.sample_rate, sample_rate), np.float32)
    return Speech(np.clip(sound, -1.0, 1.0), sample_rate, speech.phonemes, speech.text, speech.language)


def _centred(sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """Without a direct current: at the ends it would be a click."""
    return np.asarray(sound - sound.mean(dtype=np.float64), np.float32)


def _moved(phonemes: tuple[Phoneme, ...] | None, by_s: float, seconds: float) -> tuple[Phoneme, ...] | None:
    """Those that are still within the sound, their times from its new beginning."""
    if phonemes is None:
        return None
    times = [(each.ipa, max(each.start - by_s, 0.0), min(each.end - by_s, seconds)) for each in phonemes]
    return tuple(Phoneme(ipa, start, end) for ipa, start, end in times if start < end)
