"""The reference network: it looks at the portrait once, and each of its layers tells the denoiser's what it saw."""

from __future__ import annotations

import torch
from diffusers import UNet2DConditionModel
from torch import Tensor, nn

from worker.engines.video.echomimic.architecture import Architecture
from worker.engines.video.echomimic.attention import Recording
from worker.engines.video.echomimic.denoiser import layers


class Reference(UNet2DConditionModel):  # type: ignore[misc]  # torch's classes are Any
    """diffusers' network without what upstream took out of it: it hears nothing, and its last layers tell nobody
    anything. Its parameters' names are the published ones."""

    def __init__(self, architecture: Architecture) -> None:
        """Without any weights that count; on the device that torch.device says."""
        super().__init__(attention_head_dim=architecture.hidden.heads, **architecture.unet)
        self.conv_norm_out = None
        self.conv_out = nn.Identity()
        for layer, block in list(layers(self)):
            block.attn2 = block.norm2 = None
            block.attn1 = Recording(block.attn1, layer)

    def look(self, latents: Tensor, bank: dict[str, Tensor]) -> Tensor:
        """Writes into the bank what goes into each layer's attention, (1, places, channels), of a portrait's latents
        (1, 4, h, w). What comes out of the last layer is finite where all is."""
        time = torch.zeros(1, dtype=torch.long, device=latents.device)
        more = {"cross_attention_kwargs": {"bank": bank}}
        out: Tensor = self(latents, time, encoder_hidden_states=None, return_dict=False, **more)[0]
        return out
