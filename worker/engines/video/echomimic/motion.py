"""The motion modules: what makes one film of a window's frames."""

from __future__ import annotations

from diffusers.models.unets.unet_motion_model import AnimateDiffTransformer3D
from torch import Tensor

from worker.engines.video.echomimic.architecture import Architecture
from worker.engines.video.echomimic.attention import Moving


class Motion(AnimateDiffTransformer3D):  # type: ignore[misc]  # torch's classes are Any
    """diffusers' motion module, whose norm is taken of each frame alone, as upstream has it, not of all at once."""

    def __init__(self, channels: int, architecture: Architecture) -> None:
        heads = architecture.hidden.motion_heads
        super().__init__(
            num_attention_heads=heads,
            attention_head_dim=channels // heads,
            in_channels=channels,
            norm_num_groups=architecture.hidden.motion_groups,
            positional_embeddings="sinusoidal",
            num_positional_embeddings=architecture.moments,
        )
        for block in self.transformer_blocks:
            block.attn1 = Moving(block.attn1)
            block.attn2 = Moving(block.attn2)

    def forward(
        self,
        hidden_states: Tensor,
        encoder_hidden_states: None = None,
        timestep: None = None,
        class_labels: None = None,
        num_frames: int = 1,
        cross_attention_kwargs: None = None,
    ) -> Tensor:
        """(windows x frames, channels, height, width) in and out."""
        windows, (_, channels, height, width) = len(hidden_states) // num_frames, hidden_states.shape
        rows = self.norm(hidden_states).unflatten(0, (windows, num_frames))
        rows = rows.permute(0, 3, 4, 1, 2).reshape(-1, num_frames, channels)
        rows = self.proj_in(rows)
        for block in self.transformer_blocks:
            rows = block(rows)
        moved = self.proj_out(rows).view(windows, height, width, num_frames, channels).permute(0, 3, 4, 1, 2)
        return hidden_states + moved.reshape(hidden_states.shape)
