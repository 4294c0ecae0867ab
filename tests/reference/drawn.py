"""Numbers that come out the same on every machine: of PCG64, not of torch, whose way depends on the processor."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def normal(seed: int, *shape: int) -> Any:
    """A tensor, float32."""
    import torch

    return torch.from_numpy(np.random.default_rng(seed).standard_normal(shape, np.float32))


def levels(seed: int, *shape: int) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def speech(seed: int, seconds: float, rate: int = 16_000) -> NDArray[np.float32]:
    """Noise whose loudness comes and goes four times a second."""
    time = np.arange(round(seconds * rate), dtype=np.float32) / rate
    noise = np.random.default_rng(seed).standard_normal(time.shape, np.float32)
    return np.asarray(noise * (0.02 + 0.2 * np.sin(4 * np.pi * time) ** 2), np.float32)
