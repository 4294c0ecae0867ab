"""Opens a photo that a stranger sent. Only for processes with limits (`worker.adding.rigging`)."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags
from PIL import Image as Pillow

from worker.adding.refused import Refused

Image = NDArray[np.uint8]

FORMATS = ("JPEG", "PNG", "WEBP")
MOST_PIXELS = 50_000_000
"""Asked of the header, before anything is decoded: 150 MB as RGB."""
SHORTEST_SIDE = 300
_TURNS = dict(
    zip(
        range(2, 9),
        (
            Pillow.Transpose.FLIP_LEFT_RIGHT,
            Pillow.Transpose.ROTATE_180,
            Pillow.Transpose.FLIP_TOP_BOTTOM,
            Pillow.Transpose.TRANSPOSE,
            Pillow.Transpose.ROTATE_270,
            Pillow.Transpose.TRANSVERSE,
            Pillow.Transpose.ROTATE_90,
        ),
        strict=True,
    )
)
"""EXIF's orientations (JEITA CP-3451) and what undoes each."""
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
            return np.asarray(_rgb(_upright(photo)), np.uint8)
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


def _upright(photo: Pillow.Image) -> Pillow.Image:
    """As its EXIF says; what is damaged in there says nothing."""
    try:
        turn = _TURNS.get(photo.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:
        # Pillow's reader raises whatever the bytes make it: struct.error, KeyError, TypeError, SyntaxError …
        return photo
    return photo if turn is None else photo.transpose(turn)


def _rgb(photo: Pillow.Image) -> Pillow.Image:
    if photo.mode.startswith("I"):
        return Pillow.fromarray((np.asarray(photo) >> 8).astype(np.uint8)).convert("RGB")
    if photo.mode in ("RGBA", "LA", "PA") or "transparency" in photo.info:
        seen = photo.convert("RGBA")
        return Pillow.alpha_composite(Pillow.new("RGBA", seen.size, (*GREY, 255)), seen).convert("RGB")
    return photo.convert("RGB")
