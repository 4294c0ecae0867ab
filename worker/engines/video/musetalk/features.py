"""What MuseTalk hears: the states of Whisper's encoder about each frame, on one clock however the speech comes.

A single piece of speech gives the very numbers of upstream (`musetalk/utils/audio_processor.py`): each 30 seconds by
themselves, five states, the last behind the final norm, cut to the sound's length, nothing before and behind it; ten
states for a frame, of which four lie before it. Of speech that comes in pieces each is heard by itself, and its states
are placed at the moment at which it begins, to the nearest of the clock's ticks.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import soxr

from worker.engines.tts.base import Speech
from worker.networks.mel import HOP, RATE, Sound, half_minutes

if TYPE_CHECKING:
    from torch import Tensor

    from worker.networks.whisper import Whisper

FPS = 25
TICKS = 50
"""States a second."""
STEP = TICKS // FPS
BEFORE, WINDOW = 2 * STEP, 10
"""States of a frame's window before the frame, and in all (`audio_padding_length_left`, `…_right` = 2)."""

Listen = Callable[[Sound, int], "Tensor"]
"""Sound at 16 kHz and how many states are wanted, to (count, layers, width) on the CPU."""


def resampled(speech: Speech) -> Sound:
    """At 16 kHz, as long as librosa has it."""
    if speech.sample_rate == RATE:
        return np.asarray(speech.samples, np.float32)
    length = math.ceil(len(speech.samples) * RATE / speech.sample_rate)
    sound = np.asarray(soxr.resample(speech.samples, speech.sample_rate, RATE), np.float32)[:length]
    return np.pad(sound, (0, length - len(sound)))


def states_of(whisper: Whisper, sound: Sound, count: int) -> Tensor:
    """(count, layers, width), float32 on the CPU: 50 a second. Where more are wanted than the 30 seconds hold that the
    sound ends in, the last one stays."""
    import torch

    heard = [whisper.states(mel[None], normed=True)[0].float().cpu() for mel in half_minutes(sound)]
    states = torch.cat(heard)[:count]
    return torch.cat([states, states[-1:].expand(count - len(states), -1, -1)])


@lru_cache(maxsize=4)
def positions(count: int, width: int) -> Tensor:
    """(count, width): sines and cosines of the place in the window (Vaswani et al. 2017, section 3.5)."""
    import torch

    place = torch.arange(count, dtype=torch.float32)[:, None]
    rates = torch.exp(torch.arange(0, width, 2).float() * (-math.log(10_000.0) / width))
    table = torch.zeros(count, width)
    table[:, 0::2] = torch.sin(place * rates)
    table[:, 1::2] = torch.cos(place * rates)
    return table


class Hearing:
    """The states of the speech so far; those that no frame to come looks at are forgotten."""

    def __init__(self, listen: Listen) -> None:
        self._listen = listen
        self.seconds = 0.0
        self._kept: Tensor | None = None
        self._first = -BEFORE
        """The tick of the first state that is kept. Before the speech there is nothing, which is zeros."""
        self._spare: Tensor | None = None

    def add(self, speech: Speech) -> None:
        if not len(speech.samples):
            return
        import torch

        sound = resampled(speech)
        count = math.floor(len(sound) / RATE * TICKS)
        states = self._listen(sound, count + 1)
        if self._kept is None or self._spare is None:
            self._kept = states.new_zeros(BEFORE, *states.shape[1:])
        elif round(self.seconds * TICKS) > self._first + len(self._kept):
            self._kept = torch.cat([self._kept, self._spare])  # pieces are of no whole number of ticks
        self._kept = torch.cat([self._kept, states[:count]])
        self._spare = states[count:]
        self.seconds += speech.seconds

    def windows(self, begin: int, end: int) -> Tensor:
        """(end - begin, 10 x layers, width) for these frames. What is not yet said counts as nothing."""
        import torch

        assert self._kept is not None, "nothing was said"
        start = begin * STEP - BEFORE - self._first
        wanted = (end - begin - 1) * STEP + WINDOW
        part = self._kept[start : start + wanted]
        part = torch.cat([part, part.new_zeros(wanted - len(part), *self._kept.shape[1:])])
        return torch.stack(
            [part[place : place + WINDOW].flatten(0, 1) for place in range(0, wanted - WINDOW + 1, STEP)]
        )

    def forget(self, frame: int) -> None:
        """What only frames before this one look at."""
        past = min(frame * STEP - BEFORE - self._first, len(self._kept) if self._kept is not None else 0)
        if self._kept is not None and past > 0:
            self._kept, self._first = self._kept[past:].clone(), self._first + past


assert HOP * 2 * TICKS == RATE, "two frames of the mel picture are one state"
