"""How the networks' attentions are computed; diffusers calls one of these for each."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

Kept = dict[str, tuple[Tensor, Tensor]]
"""A layer's name: keys and values of the portrait, (1, places, channels) each."""

SOUND_GAIN = 3.0
"""How much louder than trained the sound is (EchoMimicV2, mutual_self_attention.py, `audio_feature_ratio`)."""
_MOST_ROWS = 1 << 15
"""CUDA's kernels take at most 65,535 rows at once (Programming Guide, maximum y- and z-dimension of a grid)."""


class Recording:
    """Of the reference network: attention within the portrait, whose inputs are written to `bank` by the layer's
    name."""

    def __init__(self, layer: str) -> None:
        self.layer = layer

    def __call__(
        self,
        attention: Any,
        hidden_states: Tensor,
        encoder_hidden_states: None = None,
        attention_mask: None = None,
        bank: dict[str, Tensor] | None = None,
    ) -> Tensor:
        if bank is not None:
            bank[self.layer] = hidden_states
        return attend(attention, hidden_states, attention.to_k(hidden_states), attention.to_v(hidden_states))


class Seeing:
    """Of the denoiser: each frame looks at itself and, where there is one, at the portrait."""

    def __init__(self, layer: str) -> None:
        self.layer = layer

    def __call__(
        self,
        attention: Any,
        hidden_states: Tensor,
        encoder_hidden_states: None = None,
        attention_mask: None = None,
        kept: Kept | None = None,
    ) -> Tensor:
        keys, values = attention.to_k(hidden_states), attention.to_v(hidden_states)
        if kept is not None:
            keys, values = (
                torch.cat((own, more.expand(len(own), -1, -1)), dim=1)
                for own, more in zip((keys, values), kept[self.layer], strict=True)
            )
        return attend(attention, hidden_states, keys, values)


class Hearing:
    """Of the denoiser: each frame listens to its sound, (frames, 50, 384). Without any the keys and values are zero,
    since their projections have no bias: the attention is over zeros, and what it gives is the output's bias."""

    def __call__(
        self,
        attention: Any,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: None = None,
        kept: Kept | None = None,
    ) -> Tensor:
        if encoder_hidden_states is None:
            return attention.to_out[0].bias * SOUND_GAIN
        keys, values = attention.to_k(encoder_hidden_states), attention.to_v(encoder_hidden_states)
        return attend(attention, hidden_states, keys, values) * SOUND_GAIN


class Moving:
    """Of a motion module: each place looks at itself in the window's other frames, (places, frames, channels)."""

    def __call__(
        self,
        attention: Any,
        hidden_states: Tensor,
        encoder_hidden_states: None = None,
        attention_mask: None = None,
    ) -> Tensor:
        parts = [
            attend(attention, rows, attention.to_k(rows), attention.to_v(rows))
            for rows in hidden_states.split(_MOST_ROWS)
        ]
        return parts[0] if len(parts) == 1 else torch.cat(parts)


def attend(attention: Any, hidden: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """Of diffusers' Attention with these keys and values: (n, places, channels) like `hidden`."""
    query, keys, values = (
        each.unflatten(-1, (attention.heads, -1)).transpose(1, 2) for each in (attention.to_q(hidden), keys, values)
    )
    seen = functional.scaled_dot_product_attention(query, keys, values)
    return attention.to_out[0](seen.transpose(1, 2).flatten(2))
