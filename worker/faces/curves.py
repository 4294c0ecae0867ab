"""Eased steps over a picture."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def smooth(t: Any) -> Any:
    """0 up to 0, 1 from 1 on, smooth between (smoothstep); of a number or of an array, in its own type."""
    t = np.clip(t, 0, 1)
    return t * t * (3 - 2 * t)


def ramp(x: NDArray[np.float32], start: float, end: float) -> NDArray[np.float32]:
    """0 up to `start`, 1 from `end` on, smooth between; `end` may be the smaller."""
    return np.asarray(smooth((x - start) / (end - start)), np.float32)
