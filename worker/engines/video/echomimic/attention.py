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
        return _within(attention, hidden_states)


class Seeing:
    """Of the denoiser: each frame looks at itself, and all but the first `free` frames at the portrait as well."""

    def __init__(self, layer: str) -> None:
        self.layer = layer

    def __call__(
        self,
        attention: Any,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: None = None,
        kept: Kept | None = None,
        free: int = 0,
    ) -> Tensor:
        own = attention.to_q(hidden_states), attention.to_k(hidden_states), attention.to_v(hidden_states)
        if kept is None:
            return output(attention, attended(attention, *own))
        query, keys, values = (each[free:] for each in own)
        keys, values = (
            torch.cat((each, more.expand(len(each), -1, -1)), dim=1)
            for each, more in zip((keys, values), kept[self.layer], strict=True)
        )
        seen = attended(attention, query, keys, values)
        if free:
            seen = torch.cat((attended(attention, *(each[:free] for each in own)), seen))
        return output(attention, seen)


class Hearing:
    """Of the denoiser: all but the first `free` frames listen to their sound, (frames, 50, 384). Where there is none
    keys and values are zero, since their projections have no bias: what such an attention gives is its output's
    bias."""

    def __call__(
        self,
        attention: Any,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: None = None,
        kept: Kept | None = None,
        free: int = 0,
    ) -> Tensor:
        silence: Tensor = attention.to_out[0].bias * SOUND_GAIN
        if encoder_hidden_states is None:
            return silence
        keys, values = attention.to_k(encoder_hidden_states), attention.to_v(encoder_hidden_states)
        heard = output(attention, attended(attention, attention.to_q(hidden_states[free:]), keys, values)) * SOUND_GAIN
        return torch.cat((silence.expand_as(hidden_states[:free]), heard)) if free else heard


class Moving:
    """Of a motion module: each place looks at itself in the window's other frames, (places, frames, channels)."""

    def __call__(
        self,
        attention: Any,
        hidden_states: Tensor,
        encoder_hidden_states: None = None,
        attention_mask: None = None,
    ) -> Tensor:
        parts = [_within(attention, rows) for rows in hidden_states.split(_MOST_ROWS)]
        return parts[0] if len(parts) == 1 else torch.cat(parts)


def attended(attention: Any, query: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """Of diffusers' Attention with these: (n, places, channels) like the query, without the output's projection."""
    heads = (each.unflatten(-1, (attention.heads, -1)).transpose(1, 2) for each in (query, keys, values))
    return functional.scaled_dot_product_attention(*heads).transpose(1, 2).flatten(2)


def output(attention: Any, seen: Tensor) -> Tensor:
    """Behind the output's projection."""
    made: Tensor = attention.to_out[0](seen)
    return made


def _within(attention: Any, hidden: Tensor) -> Tensor:
    query, keys, values = attention.to_q(hidden), attention.to_k(hidden), attention.to_v(hidden)
    return output(attention, attended(attention, query, keys, values))
