"""Smooth displacement fields: thin-plate splines on a coarse grid, and pictures read through them."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]
"""(rows, columns, 2): dx, dy at the nodes of a grid."""

_NO_MAP: Any = None
"""cv2.remap's second map, not used where the first holds both coordinates."""


def spline(
    at: NDArray[np.float32],
    values: NDArray[np.float32],
    query: NDArray[np.float32],
    smooth: float,
    unit: float = 256.0,
) -> NDArray[np.float32]:
    """The thin-plate spline (Bookstein 1989) through `values` (n, k) at `at` (n, 2), read at `query` (..., 2).

    smooth: added to the kernel's diagonal; 0 interpolates, more follows noise less. unit: the pixels that count as 1
    where `smooth` is given.
    """
    scale = np.float64(1 / unit)
    points = at.astype(np.float64) * scale
    count = len(points)
    system = np.zeros((count + 3, count + 3))
    system[:count, :count] = _kernel(points, points) + smooth * np.eye(count)
    system[:count, count:] = np.c_[np.ones(count), points]
    system[count:, :count] = system[:count, count:].T
    weights = np.linalg.solve(system, np.r_[values.astype(np.float64), np.zeros((3, values.shape[1]))])
    where = query.reshape(-1, 2).astype(np.float64) * scale
    result = _kernel(where, points) @ weights[:count] + np.c_[np.ones(len(where)), where] @ weights[count:]
    return np.asarray(result.reshape(*query.shape[:-1], -1), np.float32)


def _kernel(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """r² log r, written as r² log r² / 2."""
    squared = ((a[:, None] - b[None]) ** 2).sum(axis=2)
    return np.asarray(0.5 * squared * np.log(np.maximum(squared, 1e-12)))


def remap(
    picture: NDArray[Any], at: Field, *, rim: int = cv2.BORDER_REPLICATE, into: NDArray[Any] | None = None
) -> NDArray[Any]:
    """`picture` read bilinearly at pixel coordinates `at` (h, w, 2), in the picture's own type.

    into: a contiguous array of the result's shape that receives it.
    """
    return np.asarray(cv2.remap(picture, at, _NO_MAP, cv2.INTER_LINEAR, into, rim))


def sample(field: Field, at: Field) -> Field:
    """`field` read bilinearly at node coordinates `at` (..., 2); beyond its rim it is zero."""
    return remap(field, at, rim=cv2.BORDER_CONSTANT)
