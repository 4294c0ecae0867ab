"""Functions of pictures: tensors (…, channels, height, width)."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from math import cos, radians, sin
from typing import Any

import numpy as np
import torch


class InterpolationMode(Enum):
    """How values between pixels are found."""

    NEAREST = "nearest"
    NEAREST_EXACT = "nearest-exact"
    BILINEAR = "bilinear"
    BICUBIC = "bicubic"
    BOX = "box"
    HAMMING = "hamming"
    LANCZOS = "lanczos"


def normalize(tensor: Any, mean: Sequence[float], std: Sequence[float], inplace: bool = False) -> Any:
    """(tensor - mean) / std, a channel at a time. Raises TypeError for integers, ValueError for a std of 0."""
    if not tensor.is_floating_point():
        raise TypeError(f"a tensor of floats is wanted, not of {tensor.dtype}")
    if 0 in std:
        raise ValueError("std holds a zero")
    to = {"dtype": tensor.dtype, "device": tensor.device}
    middle, spread = (torch.as_tensor(values, **to).view(-1, 1, 1) for values in (mean, std))
    return tensor.sub_(middle).div_(spread) if inplace else tensor.sub(middle).div(spread)


def rotate(
    img: Any, angle: float, interpolation: InterpolationMode = InterpolationMode.NEAREST, fill: float | None = None
) -> Any:
    """Turned counter-clockwise about its middle by `angle` degrees, in a frame of the same size; what was outside is
    `fill` (0), and where that begins the picture fades out before it is mixed in, as in torchvision. Modes: nearest
    and bilinear."""
    height, width = img.shape[-2:]
    pictures = img.reshape(-1, 1, height, width)
    c, s = cos(radians(float(angle))), sin(radians(float(angle)))
    turn = torch.tensor([[c, -s * height / width, 0.0], [s * width / height, c, 0.0]], dtype=img.dtype)
    grid = torch.nn.functional.affine_grid(turn[None].to(img.device), [1, 1, height, width], align_corners=False)
    grid = grid.expand(len(pictures), -1, -1, -1)
    mode = interpolation.value

    def turned(what: Any) -> Any:
        return torch.nn.functional.grid_sample(what, grid, mode=mode, align_corners=False)

    if fill is None:
        return turned(pictures).reshape(img.shape)
    inside = turned(torch.ones_like(pictures))
    return (turned(pictures) * inside + (1 - inside) * fill).reshape(img.shape)


def pil_to_tensor(pic: Any) -> Any:
    """(channels, height, width), uint8, of a picture of PIL."""
    pixels = torch.as_tensor(np.array(pic, copy=True))
    return pixels[None] if pixels.ndim == 2 else pixels.permute(2, 0, 1)
