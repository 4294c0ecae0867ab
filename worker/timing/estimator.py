"""The mouth from the sound alone: a small network from log-mel frames to articulators and closures.

What it knows it learnt from synthetic speech (worker.timing.training); it knows no language. It can't tell /m/ from /n/
well, and whispers not at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

from worker.timing.features import HOP, MARGIN, RATE, Frames, Sound, clean, log_mel_within

WEIGHTS = Path(__file__).with_name("estimator.npz")

BANDS = 24
CONTEXT = (-14, -10, -7, -5, -3, -2, -1, 0, 1, 2, 3, 5, 7, 10, 14)
"""The frames that are looked at for one."""
REACH = max(CONTEXT)

QUIET = -4.0
"""What silence is once it is normalised; louder frames are cut off at the other end."""

_HEARD = 8.0
"""Nepers below the loudest frame so far down to which a frame counts as speech."""
_FAINTEST = -15.0
"""Mean log-mel below which all is silence."""
_PRIOR = 60.0
"""Frames that the usual spectrum counts as beside those of this voice."""
_MEMORY = 3000.0
"""Frames after which the voice is known; later ones change the picture of it slowly."""
_LEAST_SPREAD = 0.3


@dataclass(frozen=True)
class Network:
    """Layers of weights (inputs, outputs) and biases, rectified between; the last layer's outputs are what `names`
    says, and after them the logits of lips that are shut and of the lip at the teeth. usual: (2, BANDS), the mean
    spectrum about its own mean, and its spread."""

    names: tuple[str, ...]
    weights: tuple[Frames, ...]
    biases: tuple[NDArray[np.float32], ...]
    usual: Frames

    def __call__(self, values: Frames) -> Frames:
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            values = np.maximum(values @ weight + bias, 0)
        return values @ self.weights[-1] + self.biases[-1]

    def save(self, path: Path) -> None:
        arrays = {f"weight{place}": each.astype(np.float16) for place, each in enumerate(self.weights)}
        arrays |= {f"bias{place}": each.astype(np.float16) for place, each in enumerate(self.biases)}
        np.savez(path, names=np.array(self.names), usual=self.usual.astype(np.float16), **arrays)  # type: ignore[arg-type]


@cache
def load(path: Path = WEIGHTS) -> Network:
    with np.load(path, allow_pickle=False) as saved:
        layers = range(sum(name.startswith("weight") for name in saved.files))
        return Network(
            tuple(str(name) for name in saved["names"]),
            tuple(saved[f"weight{place}"].astype(np.float32) for place in layers),
            tuple(saved[f"bias{place}"].astype(np.float32) for place in layers),
            saved["usual"].astype(np.float32),
        )


class Normaliser:
    """Takes the voice's and the microphone's colour out of frames that come a few at a time."""

    def __init__(self, usual: Frames) -> None:
        self._usual = usual
        self._count = 0.0
        self._sum = np.zeros(BANDS)
        self._squares = np.zeros(BANDS)
        self._loudest = -np.inf

    def learn(self, mel: Frames) -> None:
        level = mel.mean(axis=1)
        self._loudest = max(self._loudest, float(level.max(initial=-np.inf)))
        speech = mel[(level > self._loudest - _HEARD) & (level > _FAINTEST)].astype(np.float64)
        keep = min(1.0, _MEMORY / max(self._count + len(speech), 1.0))
        self._count = (self._count + len(speech)) * keep
        self._sum = (self._sum + speech.sum(axis=0)) * keep
        self._squares = (self._squares + np.square(speech).sum(axis=0)) * keep

    def __call__(self, mel: Frames) -> Frames:
        """As the network wants them; silence as long as nothing was heard."""
        if self._loudest < _FAINTEST or not self._count:
            return np.full_like(mel, QUIET)
        shape, spread = self._usual
        mean = self._sum / self._count
        expected = shape + mean.mean()
        share = self._count / (self._count + _PRIOR)
        variance = share * (self._squares / self._count - mean**2) + (1 - share) * spread**2
        mean = share * mean + (1 - share) * expected
        scaled = (mel - mean) / (np.sqrt(np.maximum(variance, 0)) + _LEAST_SPREAD)
        return np.asarray(np.clip(scaled, QUIET, -QUIET), np.float32)


def beside(values: Frames) -> Frames:
    """(frames - 2 · REACH, BANDS · len(CONTEXT)): each inner frame with its neighbours."""
    count = max(0, len(values) - 2 * REACH)
    return np.concatenate([values[REACH + place :][:count] for place in CONTEXT], axis=1)


class Ear:
    """Sound in, estimates out, piece by piece: frame i is what is heard around (i + ½) · features.STEP."""

    def __init__(self, network: Network | None = None) -> None:
        self._network = network or load()
        self._normaliser = Normaliser(self._network.usual)
        self._resampler: soxr.ResampleStream | None = None
        self._left = np.zeros(MARGIN, np.float32)
        self._frames = np.full((REACH, BANDS), QUIET, np.float32)
        self._settled = 0

    def hear(self, samples: Sound, rate: int) -> tuple[int, Frames]:
        """The number of the first frame that is estimated now, and estimates (frames, outputs) from there to the end of
        the sound so far. The last REACH of them are provisional: the next call gives them again, better. rate: the
        same in every call, or the ear would hear a break."""
        sound = np.concatenate([self._left, self._at_our_rate(samples, rate)])
        count = max(0, (len(sound) - 2 * MARGIN) // HOP)
        mel = log_mel_within(sound[: count * HOP + 2 * MARGIN], BANDS)
        self._left = sound[count * HOP :]
        if count:
            self._normaliser.learn(mel)
            self._frames = np.concatenate([self._frames, self._normaliser(mel)])
        first = self._settled
        after = np.full((REACH, BANDS), QUIET, np.float32)
        estimates = self._network(beside(np.concatenate([self._frames, after])))
        settled = max(0, len(estimates) - REACH)
        self._frames = self._frames[settled:]
        self._settled += settled
        return first, estimates

    def _at_our_rate(self, samples: Sound, rate: int) -> Sound:
        sound = clean(samples)
        if rate == RATE:
            return sound
        if self._resampler is None:
            self._resampler = soxr.ResampleStream(rate, RATE, 1, dtype="float32", quality="MQ")
        return np.asarray(self._resampler.resample_chunk(sound), np.float32)
