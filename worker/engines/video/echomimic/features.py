"""What each frame hears: Whisper's states around its moment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from worker.networks.mel import RATE, Sound, log_mel, pieces

if TYPE_CHECKING:
    from worker.networks.whisper import Whisper

_STATES = 50
"""A second."""
_BEFORE, _BEHIND = 4, 5
"""A frame hears the states from 4 before its own to 5 behind it (EchoMimicV2, audio2feature.py)."""


class Heard:
    """What each frame of a clip hears. Frames share most of it: as one tensor it would be five times as large."""

    def __init__(self, states: Tensor, fps: int, frames: int) -> None:
        """states: (50 a second, layers, channels) on the CPU, at least one."""
        self._states = states
        self._fps = fps
        self._frames = frames

    @classmethod
    def of(cls, whisper: Whisper, samples: Sound, fps: int) -> Heard:
        """Of (m,) at 16 kHz; it has ceil(seconds x fps) frames, at least one."""
        return cls(_states(whisper, samples), fps, max(1, -(-len(samples) * fps // RATE)))

    def __len__(self) -> int:
        return self._frames

    def __getitem__(self, frames: Sequence[int]) -> Tensor:
        """(k, 10 x layers, channels) of these frames, for Whisper tiny (k, 50, 384). Where the sound begins or ends
        within a frame's reach, its first or last state stands for the rest."""
        own = np.asarray(frames) * _STATES // self._fps
        heard = (own[:, None] + np.arange(-_BEFORE, _BEHIND + 1)).clip(0, len(self._states) - 1)
        return self._states[torch.from_numpy(heard)].flatten(1, 2)


def features(whisper: Whisper, samples: Sound, fps: int) -> Tensor:
    """All that Heard has, (n, 50, 384) on the CPU, float32."""
    heard = Heard.of(whisper, samples, fps)
    return heard[range(len(heard))]


def _states(whisper: Whisper, samples: Sound) -> Tensor:
    """(50 a second, 5, 384), the last of the five before the final norm."""
    mel = log_mel(samples)
    lengths = [length // 2 for _, length in pieces(mel)]
    states = torch.empty((sum(lengths), whisper.layers, whisper.width))
    for part, (piece, _) in zip(states.split(lengths), pieces(mel), strict=True):
        part.copy_(whisper.states(piece[None], normed=False)[0, : len(part)])
    return states
