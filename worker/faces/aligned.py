"""Faces turned and scaled to where networks that restore faces expect them, and put back to a fraction of a pixel.

Coordinates are those of pixels' edges: pixel 0 reaches from 0 to 1. A place in the aligned square goes from 0 to 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.faces.landmarks import CORNERS, EYE_UPPER, NOSE, Points

Picture = NDArray[np.uint8]
"""(height, width, 3)."""
Mask = NDArray[np.float32]
"""(side, side), 0 … 1."""

TEMPLATE = (
    np.array(
        [
            [192.98138, 239.94708],
            [318.90277, 240.1936],
            [256.63416, 314.01935],
            [201.26117, 371.41043],
            [313.08905, 371.15118],
        ]
    )
    / 512
)
"""The viewer's left and right eye, the nose's tip, the mouth's corners in FFHQ's aligned faces, as facexlib has them
(xinntao/facexlib, face_restoration_helper.py, "standard 5 landmarks for FFHQ faces with 512 x 512")."""

_FULL, _NOTHING = (0.24, 0.34), (0.32, 0.42)
"""Half-axes of two ellipses about _MIDDLE: within the first a restored face covers all, beyond the second nothing. They
hold brows, cheeks and chin, and end before hair and neck, which the networks paint over."""
_MIDDLE = (0.5, 0.555)


@dataclass(frozen=True)
class Alignment:
    """A similarity: the place z = x + iy of a frame lies at `turn` z + `shift` in the aligned square."""

    turn: complex
    shift: complex

    @property
    def side(self) -> float:
        """Of the square, in the frame's pixels."""
        return 1 / abs(self.turn)

    @property
    def middle(self) -> complex:
        """Of the square, in the frame."""
        return (complex(0.5, 0.5) - self.shift) / self.turn


def five(points: Points) -> NDArray[np.float64]:
    """(5, 2), in TEMPLATE's order, of a face's 468 points. An eye lies between its corners: blinks and glances don't
    move those."""
    eyes = [points[[eye[0], eye[-1]]].mean(axis=0) for eye in EYE_UPPER]
    return np.asarray([*eyes, points[NOSE], *points[list(CORNERS)]], np.float64)


def alignment(places: NDArray[np.float64]) -> Alignment:
    """The similarity that brings five places nearest to TEMPLATE: least squares (Umeyama 1991), which moves smoothly
    with the places, where a median of samples jumps. Raises ValueError where they lie in one point."""
    z, wanted = (p[:, 0] + 1j * p[:, 1] for p in (places, TEMPLATE))
    away = z - z.mean()
    spread = float((abs(away) ** 2).sum())
    if not spread > 0:
        raise ValueError("five places in one point")
    turn = complex((away.conj() * (wanted - wanted.mean())).sum() / spread)
    return Alignment(turn, complex(wanted.mean() - turn * z.mean()))


def cut(frame: Picture, how: Alignment, side: int) -> Picture:
    """The aligned square, (side, side, 3); what lies beyond the frame mirrors it."""
    back = _matrix(1 / how.turn / side, -how.shift / how.turn)
    flags, border = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP, cv2.BORDER_REFLECT_101
    return np.asarray(cv2.warpAffine(frame, back, (side, side), flags=flags, borderMode=border), np.uint8)


def put(large: Picture, face: Picture, mask: Mask, how: Alignment, size: tuple[int, int]) -> None:
    """Blends the face into the enlarged frame. how: of the frame before it was enlarged; size: its width and height."""
    zoom = large.shape[1] / size[0], large.shape[0] / size[1]
    face, mask = _averaged(face, mask, how.side * max(zoom))
    left, top, right, bottom = _bounds(how, zoom, large.shape)
    if right <= left or bottom <= top:
        return
    square = face.shape[0]
    onto = _squeezed(_matrix(how.turn * square, how.shift * square, centred=False), zoom, (left, top))
    width, height = right - left, bottom - top
    how_read = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    drawn = cv2.warpAffine(face, onto, (width, height), flags=how_read, borderMode=cv2.BORDER_REPLICATE)
    share = cv2.warpAffine(mask, onto, (width, height), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    under = large[top:bottom, left:right]
    large[top:bottom, left:right] = cv2.blendLinear(drawn, np.ascontiguousarray(under), share, 1 - share)


def oval(side: int) -> Mask:
    """Where a restored face covers what was there: an ellipse about brows, cheeks and chin, with a soft rim. It lies
    still in the aligned square, so that the rim does not move with the mouth."""
    place = (np.arange(side) + 0.5) / side
    x, y = place[None] - _MIDDLE[0], place[:, None] - _MIDDLE[1]
    inner, outer = (np.hypot(x / axes[0], y / axes[1]) for axes in (_FULL, _NOTHING))
    share = np.clip((1 - outer) / np.maximum(inner - outer, 1e-6), 0, 1)
    share[inner <= 1] = 1
    return np.asarray(share * share * (3 - 2 * share), np.float32)


def _averaged(face: Picture, mask: Mask, side: float) -> tuple[Picture, Mask]:
    """As large as it will lie in the frame, where that is smaller: interpolation alone would skip pixels."""
    if side >= face.shape[0]:
        return face, mask
    size = (max(8, round(side)),) * 2
    smaller, share = (cv2.resize(picture, size, interpolation=cv2.INTER_AREA) for picture in (face, mask))
    return np.asarray(smaller, np.uint8), np.asarray(share, np.float32)


def _bounds(how: Alignment, zoom: tuple[float, float], shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the whole pixels that `oval` may reach."""
    (across, down), (middle, height) = _NOTHING, _MIDDLE
    columns, rows = (middle - across, middle + across), (height - down, height + down)
    corners = (np.array([complex(column, row) for column in columns for row in rows]) - how.shift) / how.turn
    x, y = corners.real * zoom[0], corners.imag * zoom[1]
    left, top = max(int(np.floor(x.min())), 0), max(int(np.floor(y.min())), 0)
    return left, top, min(int(np.ceil(x.max())), shape[1]), min(int(np.ceil(y.max())), shape[0])


def _matrix(turn: complex, shift: complex, *, centred: bool = True) -> NDArray[np.float64]:
    """z → turn z + shift. centred: between numbers of pixels, as cv2 has them, whose middles lie at halves."""
    if centred:
        shift = shift + turn * complex(0.5, 0.5) - complex(0.5, 0.5)
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])


def _squeezed(matrix: NDArray[np.float64], zoom: tuple[float, float], origin: tuple[int, int]) -> NDArray[np.float64]:
    """From numbers of pixels of a window at `origin` of the enlarged frame to those of the square."""
    linear = matrix[:, :2] / zoom
    first = linear @ (np.array(origin) + 0.5) + matrix[:, 2] - 0.5
    return np.column_stack([linear, first])
