"""How the parts of the picture take part in the head's motion and in the breath: three coarse grids over it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from worker.faces import landmarks as lm

SPACING = 16.0
"""Pixels of a 1024-pixel portrait between the nodes."""


@dataclass(frozen=True)
class Head:
    """As the fields of `worker.faces.rig.Rig`."""

    spacing: float
    depth: NDArray[np.float16]
    follow: NDArray[np.float16]
    breath: NDArray[np.float16]
    pivot: NDArray[np.float32]


def measured(size: tuple[int, int], mesh: lm.Mesh, alpha: NDArray[np.uint8]) -> Head:
    """size: (width, height) of the portrait; alpha: who of it is the person, (h, w) of 255."""
    width, height = size
    spacing = SPACING * width / 1024
    x = np.arange(int(np.ceil((width - 1) / spacing)) + 1) * spacing
    y = np.arange(int(np.ceil((height - 1) / spacing)) + 1) * spacing
    nodes = np.stack(np.meshgrid(x, y), axis=-1).astype(np.float32)
    left, right = mesh[lm.CHEEKS[0], 0], mesh[lm.CHEEKS[1], 0]
    middle, half = (left + right) / 2, (right - left) / 2
    forehead, chin = float(mesh[lm.FOREHEAD, 1]), float(mesh[lm.CHIN, 1])
    tall = chin - forehead
    u = (nodes[..., 0] - middle) / (1.5 * half)
    v = (nodes[..., 1] - (forehead + 0.5 * tall)) / (0.95 * tall)
    depth = half * np.exp(-1.2 * (u**2 + v**2))
    side = _fade(np.abs(nodes[..., 0] - middle), 0.26 * width, 0.49 * width)
    neck = _fade(nodes[..., 1], chin - 0.05 * tall, chin + 0.55 * tall)
    breath = np.zeros((*depth.shape, 2), np.float16)
    return Head(
        spacing=spacing,
        depth=depth.astype(np.float16),
        follow=(side * neck).astype(np.float16),
        breath=breath,
        pivot=np.array([middle, chin], np.float32),
    )


def _fade(x: NDArray[np.float32], full: float, none: float) -> NDArray[np.float32]:
    """1 up to `full`, 0 from `none` on, smooth between (smoothstep)."""
    t = np.clip((none - x) / (none - full), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)
