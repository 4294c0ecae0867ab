"""Tiles cover a picture once, and keep away from edges that are not the picture's."""

from __future__ import annotations

import numpy as np
import pytest

from worker.engines.upscale.sizing import working
from worker.engines.upscale.tiles import side_for, smallest, tiles


@pytest.mark.parametrize(
    ("height", "width", "side", "margin", "count"),
    [
        (64, 64, 64, 8, 1),
        (64, 100, 64, 8, 2),  # keeps 0-56, then 56-100 of the tile at 36
        (200, 100, 64, 8, 8),  # rows 56, 48, 48, 48: four; columns two
        (64, 300, 64, 0, 5),
        (30, 200, 64, 16, 6),  # 48, then 32 a tile, and the last 24 come with the sixth
        (65, 65, 64, 31, 4),
    ],
)
def test_every_pixel_is_kept_once(height: int, width: int, side: int, margin: int, count: int) -> None:
    kept = np.zeros((height, width), int)
    cut = list(tiles(height, width, side, margin))
    for tile in cut:
        assert (tile.height, tile.width) == (min(side, height), min(side, width))
        assert tile.top >= 0
        assert tile.left >= 0
        for keep, start, length, total in zip(
            tile.keep, (tile.top, tile.left), (tile.height, tile.width), (height, width), strict=True
        ):
            assert keep.start - start >= margin or start == keep.start == 0
            assert start + length - keep.stop >= margin or keep.stop == start + length == total
        kept[tile.keep] += 1
    assert (kept == 1).all()
    assert len(cut) == count


def test_a_side_that_keeps_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="keep nothing"):
        list(tiles(200, 200, 64, 32))


@pytest.mark.parametrize(
    ("pixels", "height", "width", "margin", "side"),
    [
        (1_000_000, 512, 768, 34, 768),  # whole
        (512 * 768, 512, 768, 34, 768),
        (300_000, 512, 768, 34, 544),  # 547.7, in steps of 16
        (10_000, 512, 768, 34, 144),  # four margins, in steps of 16
        (0, 512, 768, 4, 64),
    ],
)
def test_the_side_is_what_memory_takes(pixels: int, height: int, width: int, margin: int, side: int) -> None:
    assert side_for(pixels, height, width, margin) == side
    assert side > 2 * margin
    assert smallest(margin) <= side


@pytest.mark.parametrize(
    ("size", "wanted", "scale", "given"),
    [
        (512, 1080, 4, 512),  # 2,048 is less than twice 1,080
        (768, 1080, 4, 540),
        (270, 1080, 4, 270),
        (100, 1080, 4, 100),
        (768, 1080, 2, 768),
        (768, 1081, 4, 541),
    ],
)
def test_a_network_draws_at_most_twice_what_is_wanted(size: int, wanted: int, scale: int, given: int) -> None:
    assert working(size, wanted, scale) == given
