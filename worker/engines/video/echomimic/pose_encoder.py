"""The pose encoder: pictures of hands to what is added to the denoiser's first features."""

from __future__ import annotations

import torch
from diffusers.models.controlnets.controlnet import ControlNetConditioningEmbedding
from torch import Tensor

from worker.engines.video.base import Frame


class PoseEncoder(ControlNetConditioningEmbedding):  # type: ignore[misc]  # torch's classes are Any
    """(k, 3, side, side) in 0 … 1 to (k, channels, side / 8, side / 8). Its parameters' names are the published
    ones."""

    def __init__(self, channels: int, widths: tuple[int, ...]) -> None:
        """Without any weights that count; on the device that torch.device says."""
        super().__init__(channels, 3, widths)


def as_given(pictures: Frame) -> Tensor:
    """(k, side, side, 3), 0 … 255, as the encoder takes them."""
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 255
