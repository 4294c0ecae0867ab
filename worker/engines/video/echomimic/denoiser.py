"""The denoiser: diffusers' motion network, which sees the portrait, hears the speech and follows the hands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from diffusers import UNetMotionModel
from torch import Tensor, nn

from worker.engines.video.echomimic.architecture import Architecture
from worker.engines.video.echomimic.attention import Hearing, Kept, Seeing
from worker.engines.video.echomimic.motion import Motion


class Denoiser(UNetMotionModel):  # type: ignore[misc]  # torch's classes are Any
    """Its parameters' names are diffusers'; `keys.denoiser` gives them."""

    def __init__(self, architecture: Architecture) -> None:
        """Without any weights that count; on the device that torch.device says."""
        hidden = architecture.hidden
        super().__init__(
            cross_attention_dim=architecture.sound,
            num_attention_heads=hidden.heads,
            motion_num_attention_heads=hidden.motion_heads,
            motion_max_seq_length=architecture.moments,
            use_motion_mid_block=True,
            **architecture.unet,
        )
        for block in (*self.down_blocks, self.mid_block, *self.up_blocks):
            channels = [motion.in_channels for motion in block.motion_modules]
            block.motion_modules = nn.ModuleList(Motion(each, architecture) for each in channels)
        for layer, block in list(layers(self)):
            block.attn1 = Seeing(block.attn1, layer)
            block.attn2 = Hearing(block.attn2)

    def forward(
        self,
        latents: Tensor,
        time: Tensor,
        frames: int,
        sound: Tensor | None = None,
        poses: Tensor | None = None,
        kept: Kept | None = None,
        both: bool = False,
    ) -> Tensor:
        """Predicted velocities, like latents: (windows x frames, 4, height, width).

        time: (1,) whole numbers. frames: in a window. sound: (windows x frames, 50, 384). poses: (windows x frames,
        channels of the first level, height, width). kept: the portrait's. Without the last three the prediction is
        unconditional: it sees no portrait, hears nothing and follows no hands. both: first the unconditional ones,
        then the others, (2 x windows x frames, ...).
        """
        moment = self.time_embedding(self.time_proj(time).to(latents.dtype))
        sample = self.conv_in(latents)
        if poses is not None:
            sample = torch.cat((sample, sample + poses)) if both else sample + poses
        free = len(latents) if both else 0
        more = {"encoder_hidden_states": sound, "cross_attention_kwargs": {"kept": kept, "free": free}}
        skipped: tuple[Tensor, ...] = (sample,)
        for block in self.down_blocks:
            given = more if hasattr(block, "attentions") else {}
            sample, passed = block(hidden_states=sample, temb=moment, num_frames=frames, **given)
            skipped += passed
        sample = self.mid_block(sample, moment, num_frames=frames, **more)
        for block in self.up_blocks:
            given = more if hasattr(block, "attentions") else {}
            passed, skipped = skipped[-len(block.resnets) :], skipped[: -len(block.resnets)]
            sample = block(
                hidden_states=sample, temb=moment, res_hidden_states_tuple=passed, num_frames=frames, **given
            )
        return self.conv_out(self.conv_act(self.conv_norm_out(sample)))

    def keys_and_values(self, bank: Mapping[str, Tensor]) -> Kept:
        """What its layers make of what the reference network's of the same name looked at: the same in all calls."""
        return {layer: (block.attn1.to_k(bank[layer]), block.attn1.to_v(bank[layer])) for layer, block in layers(self)}


def layers(network: nn.Module) -> Iterator[tuple[str, Any]]:
    """The blocks of attention within a frame, by name: those of motion modules are of the same class, elsewhere."""
    return (
        (name, module)
        for name, module in network.named_modules()
        if ".attentions." in name and isinstance(getattr(module, "attn1", None), nn.Module)
    )
