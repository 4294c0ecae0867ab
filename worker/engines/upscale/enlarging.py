"""Frames enlarged by one of Real-ESRGAN's networks (xinntao/Real-ESRGAN, arXiv 2107.10833).

What is not upstream's: frames are first shrunk where the network would draw more than twice what is wanted; its output
never leaves the card but at the wanted size; tiles are as large as memory lets them be and overlap by what the network
can see, so that no seam is.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from worker.engines.upscale.sizing import is_large_enough, resized, working
from worker.engines.upscale.tiles import side_for, smallest, tiles
from worker.engines.video.base import Frame
from worker.exhaustion import is_out_of_memory
from worker.networks.compiling import compiled
from worker.networks.failing import let_go
from worker.networks.memory import give_back
from worker.networks.pictures import Opened, open_network
from worker.networks.precision import finite

if TYPE_CHECKING:
    from torch import Tensor, dtype, nn

_log = logging.getLogger(__name__)

KINDS = ("Compact", "ESRGAN")
"""realesr-general-x4v3 is SRVGGNetCompact, x4plus RRDBNet."""

WEIGHTS_MB = 128
"""What the larger of the two takes at two bytes a number, and cuDNN beside it."""
_BYTES = {"Compact": 2_000, "ESRGAN": 8_000}
"""A pixel of input takes so many at two bytes a number, work space included. Compact: two layers of 64 channels, and
the output of 16 times the pixels as it is, bounded and in float32. ESRGAN: two layers of 64 channels at 16 times the
pixels, and the dense blocks' 192 channels."""
_SEEN = 32
"""Margin of tiles in pixels for ESRGAN, which sees some 350 pixels far, but hardly anything beyond 10 (upstream's
`tile_pad`) counts."""
_SHARE = 0.8
"""Of the free memory, the most that a call may take."""
_AT_ONCE = 4
"""Frames in one call on a card, where memory lets them be; more hardly gain."""
_ON_PROCESSOR = 2 << 30
"""Bytes that a call may take there."""


class Enlarger:
    """One network on one device. The same frame gives the same frame, whatever comes before it."""

    def __init__(self, opened: Opened, device: str, budget: int, *, compile: bool = False) -> None:
        """budget: bytes of the card that it may take beside its weights."""
        self._kind, self._scale, self._device = opened.kind, opened.scale, device
        self._margin = _margin(opened)
        self._budget = budget
        self._network = self._placed(opened.network, compile)
        self._largest: int | None = None

    @classmethod
    def open(cls, path: Path, device: str, budget: int, *, compile: bool = False) -> Self:
        """compile: the network is compiled at its first call. Raises CheckpointError, ModelMissing."""
        return cls(open_network(path, KINDS), device, budget, compile=compile)

    def together(self, frames: Sequence[Frame], width: int, height: int) -> Sequence[Frame]:
        """Of frames of one shape, at most `at_once` of them: as many, each (height, width, 3). Those that are large
        enough are resized without the network.

        Where memory does not suffice it is tried once more, one frame at a time in tiles half as long, and so from then
        on. Raises torch's errors as they are, and NotANumber where float32 overflows too."""
        if is_large_enough(frames[0], width, height):
            return [resized(frame, width, height) for frame in frames]
        count = self.at_once(width, height)
        stack = np.stack([*frames, *[frames[-1]] * (count - len(frames))])  # one shape: one way of computing
        try:
            return list(self._drawn(stack, width, height)[: len(frames)])
        except Exception as error:
            if not is_out_of_memory(error) or not self._halved(stack.shape[1:3], width, height):
                raise
            let_go(error)
        give_back()
        return [self._drawn(frame[None], width, height)[0] for frame in frames]

    def at_once(self, width: int, height: int) -> int:
        """Frames in a call; none is larger for the network than the wanted size asks for."""
        if self._device == "cpu" or self._largest is not None:
            return 1
        pixels = working(height, height, self._scale) * working(width, width, self._scale)
        return min(max(self._pixels() // pixels, 1), _AT_ONCE)

    def _halved(self, shape: tuple[int, ...], width: int, height: int) -> bool:
        """Whether tiles can be, and are, half as long from now on."""
        before = min(self._side(shape, width, height), max(self._input_size(shape[0], shape[1], width, height)))
        after = max(before // 2, smallest(self._margin))
        if after >= before:
            return False
        self._largest = after
        _log.warning("memory did not suffice to enlarge: from here on in tiles of %d pixels", after)
        return True

    def _drawn(self, stack: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
        import torch

        with torch.inference_mode():
            size = self._input_size(stack.shape[1], stack.shape[2], width, height)
            given = _resized(torch.from_numpy(stack).to(self._device).permute(0, 3, 1, 2).float() / 255, size)
            side = self._side(stack.shape[1:3], width, height)
            drawn = finite(self._network, lambda part: self._in_tiles(part, side), given)
            small = _resized(drawn.clamp_(0, 1).float(), (height, width))
            pixels = small.clamp_(0, 1).mul_(255).round_().to(torch.uint8)
            return np.ascontiguousarray(pixels.permute(0, 2, 3, 1).contiguous().cpu().numpy())

    def _in_tiles(self, given: Tensor, side: int) -> Tensor:
        height, width = given.shape[-2:]
        if max(height, width) <= side:
            return self._network(given)
        out = given.new_empty((*given.shape[:-2], height * self._scale, width * self._scale))
        for tile in tiles(height, width, side, self._margin):
            rows, columns = tile.read
            part = self._network(given[..., rows, columns])
            down, right = tile.keep
            kept = part[..., self._scaled(down, tile.top), self._scaled(right, tile.left)]
            out[..., self._scaled(down), self._scaled(right)] = kept
        return out

    def _scaled(self, span: slice, start: int = 0) -> slice:
        return slice((span.start - start) * self._scale, (span.stop - start) * self._scale)

    def _input_size(self, rows: int, columns: int, width: int, height: int) -> tuple[int, int]:
        return working(rows, height, self._scale), working(columns, width, self._scale)

    def _side(self, shape: tuple[int, ...], width: int, height: int) -> int:
        """Of tiles, in pixels of the network's input."""
        size = self._input_size(shape[0], shape[1], width, height)
        return min(side_for(self._pixels(), *size, self._margin), self._largest or max(size))

    def _pixels(self) -> int:
        """Of input, that one call may take."""
        return int(_SHARE * self._free()) * 2 // (_BYTES[self._kind] * self._width())

    def _free(self) -> int:
        import torch

        if self._device == "cpu":
            return _ON_PROCESSOR
        held = torch.cuda.memory_reserved(self._device) - torch.cuda.memory_allocated(self._device)
        free = int(torch.cuda.mem_get_info(self._device)[0] + held)
        return min(free, self._budget)

    def _width(self) -> int:
        """Bytes of a number."""
        return int(next(self._network.parameters()).element_size())

    def _placed(self, network: nn.Module, compile: bool) -> nn.Module:
        import torch

        network = network.to(self._device, self._dtype(), memory_format=torch.channels_last)
        return compiled(network, compile, "Real-ESRGAN's network")

    def _dtype(self) -> dtype:
        """On a card float16: both networks are made for it, and below 1 it tells 2,048 steps apart, where bfloat16 with
        its 256 would leave bands in the frames."""
        import torch

        return torch.float32 if self._device == "cpu" else torch.float16


def _resized(pictures: Tensor, size: tuple[int, int]) -> Tensor:
    """float32 (n, 3, h, w): averaging with a triangle as wide as a new pixel where it shrinks, else bicubic."""
    from torch.nn import functional

    rows, columns = pictures.shape[-2:]
    if (rows, columns) == size:
        return pictures
    shrinks = rows >= size[0] and columns >= size[1]
    mode = "bilinear" if shrinks else "bicubic"
    resized: Tensor = functional.interpolate(pictures, size, mode=mode, antialias=True, align_corners=False)
    return resized


def _margin(opened: Opened) -> int:
    """How far a pixel's neighbours count: a convolution of three sees one further."""
    from torch import nn

    if opened.kind == "ESRGAN":
        return _SEEN
    return sum(module.kernel_size[0] // 2 for module in opened.network.modules() if isinstance(module, nn.Conv2d))
