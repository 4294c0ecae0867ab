"""Makes estimator.npz: `python -m worker.timing.training [PATH]`, two minutes on two cores, from a fixed seed.

eSpeak speaks sentences of random words (words.toml) in many voices; the mouth that Articulation makes of its phoneme
times is what is to be learnt. Each recording is spoiled first: another length of the vocal tract, rooms, noise, narrow
lines, overload. To be run again when the mouth shapes change.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

from worker.engines.tts.espeak.synthesiser import Synthesiser
from worker.engines.tts.espeak.wire import Request, Timed
from worker.engines.video.puppet.mouth.articulation import LEAD, Articulation
from worker.engines.video.puppet.mouth.ipa import segments
from worker.engines.video.puppet.mouth.visemes import ARTICULATORS, Segment
from worker.timing.estimator import BANDS, CONTEXT, QUIET, REACH, WEIGHTS, Network, Normaliser
from worker.timing.features import RATE, STEP, Frames, Sound, log_mel

SEED = 20
SENTENCES = 1400
WORDS = (3, 9)
ACCENTS = (("ar", "ar"), ("en", "en-us"), ("ar", "ar"), ("en", "en"))
"""Language of the words, and eSpeak's name for how they are said."""
VARIANTS = """
m1 m2 m3 m4 m5 m6 m7 m8 f1 f2 f3 f4 f5 adam Alex Alicia Andrea Andy anika belinda boris caleb david edward grandma
grandpa Henrique iven2 klatt klatt2 klatt3 linda max Michael Mike pablo paul quincy rob steph
"""
"""eSpeak's; others stay unheard, for tests."""
HIDDEN = (144, 96)
EPOCHS, BATCH, RATE_OF_LEARNING = 12, 512, 1.5e-3
DECAY = 1e-4
DROPPED, JITTER = 0.1, 0.4
"""Share of a frame's values that are hidden at each step, and the noise that is laid over the rest."""
LATE = 0.012
"""Seconds by which eSpeak tells a phoneme after its sound begins: against the labels of another synthesiser."""
CLOSED_WEIGHT = 0.06
"""Of a closure's cross-entropy against the articulators' squared error."""

Random = np.random.Generator


@dataclass(frozen=True)
class Example:
    """mel: log-mel of a spoiled recording. goals: (frames, articulators and two labels of closures)."""

    mel: Frames
    goals: Frames


def main() -> None:
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else WEIGHTS
    random = np.random.default_rng(SEED)
    examples = list(recordings(random))
    usual = usual_spectrum(examples)
    frames, goals, centres = gathered(examples, usual)
    print(f"{len(centres)} frames")
    network = trained(frames, goals, centres, usual, random)
    network.save(target)
    print(f"{target}: {target.stat().st_size} bytes")


def recordings(random: Random) -> Iterator[Example]:
    synthesiser = Synthesiser()
    words = {language: text.split() for language, text in tomllib.loads(_words()).items()}
    try:
        for number in range(SENTENCES):
            language, accent = ACCENTS[number % len(ACCENTS)]
            request = Request(
                sentence(words[language], random),
                language,
                f"{accent}+{random.choice(VARIANTS.split())}",
                int(random.integers(115, 235)),
                int(random.integers(10, 90)),
                int(random.integers(15, 85)),
            )
            said = synthesiser.speak(request)
            sound = said.samples.astype(np.float32) / np.float32(32768)
            yield example(sound, said.sample_rate, list(said.phonemes), random)
    finally:
        synthesiser.stop()


def _words() -> str:
    return Path(__file__).with_name("words.toml").read_text(encoding="utf-8")


def sentence(words: list[str], random: Random) -> str:
    """Random words, sometimes with a pause between."""
    chosen = [str(word) for word in random.choice(words, random.integers(*WORDS))]
    return "".join(word + (", " if random.random() < 0.12 else " ") for word in chosen).rstrip(", ") + "."


def example(sound: Sound, rate: int, phonemes: list[Timed], random: Random) -> Example:
    """A recording of it as somebody else with a longer or shorter throat might have made it."""
    pace = float(random.uniform(0.84, 1.2))
    heard = np.asarray(soxr.resample(sound, rate * pace, RATE), np.float32)
    pause = random.integers(0, RATE // 2, 2)
    heard = np.pad(heard, (int(pause[0]), int(pause[1])))
    mel = coloured(log_mel(spoiled(heard, random), BANDS), random)
    begin = float(pause[0]) / RATE - LATE
    parts = [part for ipa, start, end in phonemes for part in segments(ipa, start / pace + begin, end / pace + begin)]
    return Example(mel, goals(parts, len(mel)))


def goals(parts: list[Segment], count: int) -> Frames:
    """(count, articulators and two labels): the mouth at each frame's moment of sound."""
    articulation = Articulation()
    articulation.add(parts)
    moments = (np.arange(count) + 0.5) * STEP
    shapes = np.stack([articulation.at(float(moment) - LEAD, STEP) for moment in moments])
    labels = np.zeros((count, 2), np.float32)
    for part in parts:
        inside = (moments >= part.start) & (moments < part.end)
        labels[inside, 0] = max(labels[inside, 0].max(initial=0), part.viseme.closed)
        labels[inside, 1] = max(labels[inside, 1].max(initial=0), part.viseme.tucked)
    return np.concatenate([shapes, labels], axis=1).astype(np.float32)


def spoiled(sound: Sound, random: Random) -> Sound:
    """In a room, over a line, with noise; at some loudness."""
    if random.random() < 0.4:
        sound = _in_a_room(sound, random)
    if random.random() < 0.15:
        sound = np.asarray(soxr.resample(soxr.resample(sound, RATE, 8000), 8000, RATE), np.float32)
    if random.random() < 0.1:
        limit = float(np.abs(sound).max()) * random.uniform(0.15, 0.6)
        sound = np.clip(sound, -limit, limit)
    level = float(np.sqrt(np.square(sound).mean())) * 10 ** (-random.uniform(12, 55) / 20)
    noise = random.normal(0, level, len(sound)).astype(np.float32)
    if random.random() < 0.6:
        noise = np.convolve(noise, np.full(8, 0.35, np.float32), "same")
    return np.asarray((sound + noise) * random.uniform(0.1, 1.0), np.float32)


def _in_a_room(sound: Sound, random: Random) -> Sound:
    """The echo is noise that fades (Moorer 1979)."""
    length = int(random.uniform(0.05, 0.4) * RATE)
    echo = random.normal(0, 1, length) * np.exp(-6.9 * np.arange(length) / length)
    echo *= random.uniform(0.05, 0.5) / np.sqrt(np.square(echo).sum())
    echo[0] = 1.0
    size = 1 << int(np.ceil(np.log2(len(sound) + length)))
    return np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(echo, size), size)[: len(sound)].astype(np.float32)


def coloured(mel: Frames, random: Random) -> Frames:
    """Another microphone's curve, and formants that are less sharp than a synthesiser's."""
    places = np.linspace(-1, 1, BANDS)
    curve = random.normal(0, 0.6) * places + random.normal(0, 0.4) * np.cos(np.pi * places * random.uniform(0.5, 3))
    share = random.uniform(0, 0.35)
    padded = np.pad(mel, ((0, 0), (1, 1)), mode="edge")
    soft = (1 - 2 * share) * mel + share * (padded[:, :-2] + padded[:, 2:])
    return np.asarray(soft + curve, np.float32)


def usual_spectrum(examples: list[Example]) -> Frames:
    """(2, BANDS): see estimator.Network.usual."""
    loud = np.concatenate([each.mel[each.mel.mean(axis=1) > each.mel.mean(axis=1).max() - 6] for each in examples])
    mean = loud.mean(axis=0)
    return np.stack([mean - mean.mean(), loud.std(axis=0)]).astype(np.float32)


def gathered(examples: list[Example], usual: Frames) -> tuple[Frames, Frames, NDArray[np.intp]]:
    """All recordings in one row with silence between them, their goals, and the frames to learn from."""
    frames, wanted, centres, at = [], [], [], 0
    silence = np.full((REACH, BANDS), QUIET, np.float32)
    for each in examples:
        normaliser = Normaliser(usual)
        normaliser.learn(each.mel)
        frames += [silence, normaliser(each.mel), silence]
        wanted.append(np.pad(each.goals, ((REACH, REACH), (0, 0))))
        centres.append(at + REACH + np.arange(len(each.mel)))
        at += len(each.mel) + 2 * REACH
    return np.concatenate(frames), np.concatenate(wanted), np.concatenate(centres)


def trained(frames: Frames, wanted: Frames, centres: NDArray[np.intp], usual: Frames, random: Random) -> Network:
    """Each frame EPOCHS times, in random order; the rate of learning falls along a cosine."""
    sizes = (BANDS * len(CONTEXT), *HIDDEN, wanted.shape[1])
    weights = [random.normal(0, np.sqrt(2 / one), (one, two)).astype(np.float32) for one, two in pairwise(sizes)]
    biases = [np.zeros(size, np.float32) for size in sizes[1:]]
    adam, steps = Adam([*weights, *biases]), EPOCHS * (len(centres) // BATCH)
    for epoch in range(EPOCHS):
        order, losses = random.permutation(centres), []
        for first in range(0, len(order) - BATCH + 1, BATCH):
            chosen = order[first : first + BATCH]
            loss, gradients = slope(weights, biases, hidden_from(frames, chosen, random), wanted[chosen])
            losses.append(loss)
            share = (adam.steps + 1) / steps
            adam.step(gradients, RATE_OF_LEARNING * (0.5 + 0.5 * np.cos(np.pi * share)) + 1e-5)
        print(f"epoch {epoch + 1} of {EPOCHS}: {np.mean(losses):.5f}", flush=True)
    return Network(tuple(ARTICULATORS), tuple(weights), tuple(biases), usual)


def hidden_from(frames: Frames, chosen: NDArray[np.intp], random: Random) -> Frames:
    """The chosen frames with their neighbours, some values hidden and noise over all."""
    values = np.concatenate([frames[chosen + place] for place in CONTEXT], axis=1)
    values = values * (random.random(values.shape, np.float32) > DROPPED)
    values += JITTER * random.standard_normal(values.shape, np.float32)
    return values


class Adam:
    """Kingma and Ba 2015, with weight decay."""

    def __init__(self, parameters: list[NDArray[np.float32]]) -> None:
        """parameters: changed in place."""
        self.steps = 0
        self._parameters = parameters
        self._moments = [(np.zeros_like(each), np.zeros_like(each)) for each in parameters]

    def step(self, gradients: list[NDArray[np.float32]], speed: float) -> None:
        self.steps += 1
        for value, gradient, (mean, square) in zip(self._parameters, gradients, self._moments, strict=True):
            mean += 0.1 * (gradient - mean)
            square += 0.001 * (gradient * gradient - square)
            fair = (mean / (1 - 0.9**self.steps)) / (np.sqrt(square / (1 - 0.999**self.steps)) + 1e-8)
            value -= np.float32(speed) * (fair + DECAY * value)


def slope(
    weights: list[Frames], biases: list[NDArray[np.float32]], values: Frames, wanted: Frames
) -> tuple[float, list[NDArray[np.float32]]]:
    """The loss, and its gradients by weights and then biases."""
    layers = [values]
    for weight, bias in zip(weights[:-1], biases[:-1], strict=True):
        layers.append(np.maximum(layers[-1] @ weight + bias, 0))
    out = layers[-1] @ weights[-1] + biases[-1]
    shapes = len(ARTICULATORS)
    chance = 1 / (1 + np.exp(-np.clip(out[:, shapes:], -30, 30)))
    error = np.concatenate(
        [out[:, :shapes] - wanted[:, :shapes], CLOSED_WEIGHT * (chance - wanted[:, shapes:])], axis=1
    )
    loss = float(np.square(error[:, :shapes]).mean())
    back = (error / len(values)).astype(np.float32)
    by_weight, by_bias = [], []
    for place in range(len(weights) - 1, -1, -1):
        by_weight.append(layers[place].T @ back)
        by_bias.append(back.sum(axis=0))
        if place:
            back = (back @ weights[place].T) * (layers[place] > 0)
    return loss, [*by_weight[::-1], *by_bias[::-1]]


if __name__ == "__main__":
    main()
