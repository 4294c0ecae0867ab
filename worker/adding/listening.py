"""What a recording of speech is like: level, noise, how much of it is speech, pitch and pace.

Plain signal processing on a decoded recording (mono, float, -1 … 1) of a few seconds; no model.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import soxr
from numpy.typing import NDArray

Sound = NDArray[np.float32]

STUDIED = 8_000
"""Hertz at which pitch and pace are measured."""
HOP_S, WINDOW_S = 0.010, 0.040
PITCHES = (65.0, 420.0)
"""Hertz: low men's to children's voices."""
VOICED = 0.55
"""Least normalised autocorrelation of a voiced frame (Boersma 1993 takes 0.45)."""
FLOOR_DB = -90.0
PEAKS = 99.95
"""The percentile of samples that counts as a peak."""
PAUSE_S = 0.25
"""Of silence; shorter gaps belong to the speech around them."""


@dataclass(frozen=True)
class Heard:
    """Levels in dBFS, frames of HOP_S.

    level: while speaking. noise: between words. clipped: the share of samples at the limit in runs. crest: how far the
    peaks lie above the level, dB. speech: which frames are speech. pitch: (frames,) hertz, 0 where not voiced.
    syllables: a second of speech.
    """

    seconds: float
    level: float
    noise: float
    clipped: float
    crest: float
    speech: NDArray[np.bool_]
    pitch: NDArray[np.float32]
    syllables: float

    @property
    def snr(self) -> float:
        return self.level - self.noise

    @property
    def spoken_s(self) -> float:
        return float(self.speech.sum()) * HOP_S

    @property
    def voiced(self) -> NDArray[np.float32]:
        """The pitches of voiced speech."""
        return self.pitch[(self.pitch > 0) & self.speech]


def listen(sound: Sound, rate: int) -> Heard:
    """sound: (n,), at least half a second."""
    small = np.asarray(soxr.resample(sound, rate, STUDIED), np.float32)
    loudness = _loudness(small)
    noise, level = _levels(loudness)
    speech = _speech(loudness, noise, level)
    pitch = _pitch(small, len(loudness)) * speech
    return Heard(
        seconds=len(sound) / rate,
        level=level,
        noise=noise,
        clipped=clipped(sound),
        crest=20 * float(np.log10(np.percentile(np.abs(sound), PEAKS) + 1e-9)) - level,
        speech=speech,
        pitch=pitch.astype(np.float32),
        syllables=_syllables(loudness, pitch, speech),
    )


def frames(small: Sound) -> NDArray[np.float32]:
    """(frames, window) every HOP_S, centred."""
    window, hop = round(WINDOW_S * STUDIED), round(HOP_S * STUDIED)
    padded = np.pad(small, (window // 2, window // 2))
    return np.asarray(np.lib.stride_tricks.sliding_window_view(padded, window)[::hop], np.float32)


def _loudness(small: Sound) -> NDArray[np.float32]:
    """dBFS of each frame."""
    power = (frames(small).astype(np.float64) ** 2).mean(axis=1)
    return np.asarray(np.maximum(10 * np.log10(power + 1e-12), FLOOR_DB), np.float32)


def _levels(loudness: NDArray[np.float32]) -> tuple[float, float]:
    """Noise between the words and the level of speech: the quiet end of Otsu's lower class (in speech without pauses
    that is what is left inside closures), and the upper class' mean power."""
    edges = np.linspace(float(loudness.min()), float(loudness.max()) + 1e-3, 64)
    best = max(edges[1:-1], key=lambda edge: _between(loudness, float(edge)))
    low, high = loudness[loudness < best], loudness[loudness >= min(best, loudness.max())]
    return float(np.percentile(low, 5)), float(10 * np.log10(np.mean(10 ** (high / 10))))


def _between(values: NDArray[np.float32], edge: float) -> float:
    """Otsu's variance between the classes, but for a constant."""
    low, high = values[values < edge], values[values >= edge]
    return 0.0 if not len(low) or not len(high) else len(low) * len(high) * float(low.mean() - high.mean()) ** 2


def _speech(loudness: NDArray[np.float32], noise: float, level: float) -> NDArray[np.bool_]:
    """Louder than the noise, pauses between words included."""
    loud = loudness > max(noise + min(6.0, (level - noise) / 2), level - 25)
    gap = round(PAUSE_S / HOP_S)
    padded = np.pad(loud, gap)
    wide = np.convolve(padded, np.ones(gap), "same") > 0.5
    closed = ~(np.convolve(~wide, np.ones(gap), "same") > 0.5)
    return np.asarray(closed[gap:-gap] | loud)


def clipped(sound: Sound) -> float:
    """The share of samples within 0.2 % of the peak, in runs of three or more, where the peak is near the limit."""
    top = float(np.abs(sound).max(initial=0))
    if top < 0.85:
        return 0.0
    flat = np.abs(sound) > 0.998 * top
    runs = flat[:-2] & flat[1:-1] & flat[2:] & (np.sign(sound[:-2]) == np.sign(sound[2:]))
    return float(runs.mean())


def _pitch(small: Sound, count: int) -> NDArray[np.float32]:
    """Hertz of each frame by autocorrelation, 0 where it is not periodic; short outliers are taken out."""
    pieces = frames(small)[:count]
    window = np.hanning(pieces.shape[1]).astype(np.float32)
    size = 1024
    spectrum = np.abs(np.fft.rfft((pieces - pieces.mean(axis=1, keepdims=True)) * window, size)) ** 2
    own = np.fft.irfft(np.abs(np.fft.rfft(window, size)) ** 2)
    lags = np.arange(int(STUDIED / PITCHES[1]), int(STUDIED / PITCHES[0]) + 1)
    whole = np.fft.irfft(spectrum)
    score = whole[:, lags] / np.maximum(whole[:, :1], 1e-9) / (own[lags] / own[0])
    # A shorter period wins over its multiples.
    score = score - 0.12 * np.log2(lags / lags[0])[None] / np.log2(lags[-1] / lags[0])
    best = score.argmax(axis=1)
    voiced = score[np.arange(len(score)), best] > VOICED
    pitch = np.where(voiced, STUDIED / _refined(score, best, lags), 0)
    return _steady(pitch.astype(np.float32))


def _refined(score: NDArray[np.float64], best: NDArray[np.int64], lags: NDArray[np.int64]) -> NDArray[np.float64]:
    """The peak's lag between samples, by a parabola."""
    inner = np.clip(best, 1, len(lags) - 2)
    row = np.arange(len(score))
    before, here, after = score[row, inner - 1], score[row, inner], score[row, inner + 1]
    bend = before - 2 * here + after
    shift = np.where(np.abs(bend) > 1e-9, 0.5 * (before - after) / np.where(np.abs(bend) > 1e-9, bend, 1), 0)
    return np.asarray(lags[inner] + np.clip(shift, -0.5, 0.5))


def _steady(pitch: NDArray[np.float32]) -> NDArray[np.float32]:
    """Without frames that differ from the median of the five around them by more than a fifth."""
    around = np.lib.stride_tricks.sliding_window_view(np.pad(pitch, 2, mode="edge"), 5)
    middle = np.median(around, axis=1)
    return np.where((pitch > 0) & (np.abs(pitch - middle) < 0.2 * pitch), pitch, 0).astype(np.float32)


def _syllables(loudness: NDArray[np.float32], pitch: NDArray[np.float32], speech: NDArray[np.bool_]) -> float:
    """Voiced peaks of loudness with a dip of 2 dB before them, a second of speech (de Jong and Wempe 2009)."""
    smooth = np.convolve(np.pad(loudness, 2, mode="edge"), np.hanning(7)[1:-1] / np.hanning(7)[1:-1].sum(), "valid")
    usual = float(np.median(smooth[speech])) if speech.any() else 0.0
    count, low = 0, np.inf
    for index in range(1, len(smooth) - 1):
        low = min(low, smooth[index])
        peak = smooth[index] >= smooth[index - 1] and smooth[index] > smooth[index + 1]
        if peak and speech[index] and pitch[index] > 0 and smooth[index] > usual - 6 and smooth[index] - low > 2:
            count += 1
            low = smooth[index]
    return count / max(float(speech.sum()) * HOP_S, 0.1)
