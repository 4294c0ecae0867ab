"""Opens a photo that a stranger sent. Only for processes with limits (`worker.adding.rigging`)."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageOps

from worker.adding.refused import Refused

Image = NDArray[np.uint8]

FORMATS = ("JPEG", "PNG", "WEBP")
MOST_PIXELS = 50_000_000
"""Asked of the header, before anything is decoded: 150 MB as RGB."""
SHORTEST_SIDE = 300
GREY = (160, 160, 160)
"""What lies behind transparent pixels."""


def open_photo(path: Path) -> Image:
    """(h, w, 3) RGB, turned as its EXIF orientation says.

    Raises Refused: not_picture, too_large, too_small or truncated.
    """
    warnings.simplefilter("ignore", Pillow.DecompressionBombWarning)
    try:
        with Pillow.open(path, formats=FORMATS) as photo:
            _check_size(photo.size)
            _load(photo)
            return np.asarray(_rgb(ImageOps.exif_transpose(photo)), np.uint8)
    except Pillow.DecompressionBombError as error:
        raise Refused("too_large") from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise Refused("not_picture") from error


def _check_size(size: tuple[int, int]) -> None:
    if size[0] * size[1] > MOST_PIXELS:
        raise Refused("too_large")
    if min(size) < SHORTEST_SIDE:
        raise Refused("too_small")


def _load(photo: Pillow.Image) -> None:
    try:
        photo.load()
    except OSError as error:
        raise Refused("truncated") from error


def _rgb(photo: Pillow.Image) -> Pillow.Image:
    if photo.mode.startswith("I"):
        return Pillow.fromarray((np.asarray(photo) >> 8).astype(np.uint8)).convert("RGB")
    if photo.mode in ("RGBA", "LA", "PA") or "transparency" in photo.info:
        seen = photo.convert("RGBA")
        return Pillow.alpha_composite(Pillow.new("RGBA", seen.size, (*GREY, 255)), seen).convert("RGB")
    return photo.convert("RGB")
