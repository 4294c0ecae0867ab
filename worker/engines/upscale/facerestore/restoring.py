"""Aligned faces drawn again, by GFPGAN (arXiv 2101.04061) or CodeFormer (arXiv 2206.11253)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from worker.exhaustion import is_out_of_memory
from worker.faces.aligned import Picture
from worker.networks.compiling import compiled
from worker.networks.failing import let_go
from worker.networks.memory import give_back
from worker.networks.pictures import Opened, open_network
from worker.networks.precision import finite

if TYPE_CHECKING:
    from torch import Tensor

FIDELITY = 0.7
"""CodeFormer's w: 0 draws what its codebook holds, 1 keeps to what it is given. Upstream's usual 0.5 is for photos that
are worn; ours are clean, of a known person, and what it invents may differ from frame to frame."""

Square = NDArray[np.float32]


class Restorer:
    """One network on one device, in float32: CodeFormer picks codes by their likelihood, and rounding would make it
    pick others from frame to frame; spandrel says of both that float16 is too narrow."""

    def __init__(self, opened: Opened, device: str, *, compile: bool = False) -> None:
        import torch

        self.side, self._device, self._kind = opened.side, device, opened.kind
        network = opened.network.to(device)
        if self._kind == "CodeFormer":  # GFPGAN's convolutions make their weights anew for every face
            network = network.to(memory_format=torch.channels_last)
        self._network = compiled(network, compile, self._kind)

    @classmethod
    def open(cls, path: Path, kind: str, device: str, *, compile: bool = False) -> Self:
        """compile: the network is compiled at its first call. Raises CheckpointError, ModelMissing."""
        return cls(open_network(path, (kind,)), device, compile=compile)

    def restored(self, face: Picture) -> Square:
        """(side, side, 3) to the same, 0 … 255; the same face gives the same. Tried once more where memory did not
        suffice; then torch's error as it is. Raises NotANumber."""
        try:
            return self._drawn(face)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            let_go(error)
        give_back()
        return self._drawn(face)

    def _drawn(self, face: Picture) -> Square:
        import torch

        with torch.inference_mode():
            given = torch.from_numpy(face[None]).to(self._device).permute(0, 3, 1, 2).contiguous() / 127.5 - 1
            drawn = finite(self._network, self._called, given)
            pixels = drawn[0].clamp(-1, 1).add(1).mul(127.5)
            return np.asarray(pixels.permute(1, 2, 0).cpu().numpy(), np.float32)

    def _called(self, given: Tensor) -> Tensor:
        """GFPGAN would add fresh noise to every frame; the noise that came with its weights stays the same."""
        if self._kind == "GFPGAN":
            drawn: Tensor = self._network(given, return_rgb=False, randomize_noise=False)[0]
        else:
            drawn = self._network(given, weight=FIDELITY)[0]
        return drawn
