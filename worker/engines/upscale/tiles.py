"""A picture in pieces that overlap, so that a small card suffices."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

STEP = 16
"""Sides of tiles are multiples of it: convolutions are quickest then."""
SMALLEST = 64


@dataclass(frozen=True)
class Tile:
    """In pixels of the picture: what is read, and which part of that is kept."""

    top: int
    left: int
    height: int
    width: int
    keep: tuple[slice, slice]

    @property
    def read(self) -> tuple[slice, slice]:
        return slice(self.top, self.top + self.height), slice(self.left, self.left + self.width)


@dataclass(frozen=True)
class _Span:
    start: int
    length: int
    keep: slice


def tiles(height: int, width: int, side: int, margin: int) -> Iterator[Tile]:
    """Tiles of one size, at most side x side; what they keep covers every pixel once. None keeps anything within
    `margin` of an edge that is not the picture's own: so far the lack of what lies beyond may reach. Raises ValueError
    where a side leaves nothing to keep."""
    for row in _spans(height, side, margin):
        for column in _spans(width, side, margin):
            yield Tile(row.start, column.start, row.length, column.length, (row.keep, column.keep))


def _spans(total: int, side: int, margin: int) -> Iterator[_Span]:
    if total <= side:
        yield _Span(0, total, slice(0, total))
        return
    if side <= 2 * margin:
        raise ValueError(f"tiles of {side} pixels keep nothing with margins of {margin}")
    done = 0
    while done < total:
        start = min(max(done - margin, 0), total - side)
        end = total if start + side == total else start + side - margin
        yield _Span(start, side, slice(done, end))
        done = end


def side_for(pixels: int, height: int, width: int, margin: int) -> int:
    """The side of the largest tiles of at most so many pixels that hold a margin: the picture's longer side where it
    fits whole."""
    if height * width <= pixels:
        return max(height, width)
    side = int(pixels**0.5) // STEP * STEP
    return max(side, smallest(margin))


def smallest(margin: int) -> int:
    """Keeps as many pixels in each direction as it spends on margins, or more."""
    return max(SMALLEST, -(-4 * margin // STEP) * STEP)
