"""What each frame hears: Whisper's states around its moment."""

from __future__ import annotations

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


def features(whisper: Whisper, samples: Sound, fps: int) -> Tensor:
    """(n, 10 x 5, 384) on the CPU, float32, of (m,) at 16 kHz: a row for each of its ceil(seconds x fps) frames, at
    least one; where the sound begins or ends within a frame's reach, its first or last state stands for the rest."""
    frames = max(1, -(-len(samples) * fps // RATE))
    states = _states(whisper, samples)
    own = np.arange(frames) * _STATES // fps
    heard = (own[:, None] + np.arange(-_BEFORE, _BEHIND + 1)).clip(0, len(states) - 1)
    return states[torch.from_numpy(heard)].flatten(1, 2)


def _states(whisper: Whisper, samples: Sound) -> Tensor:
    """(50 a second, 5, 384), the last of the five before the final norm."""
    heard = [
        whisper.states(piece[None], normed=False)[0, : length // 2].float().cpu()
        for piece, length in pieces(log_mel(samples))
    ]
    return torch.cat(heard)
