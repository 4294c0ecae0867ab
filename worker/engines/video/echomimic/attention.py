"""The networks' attentions, with the weights and names of diffusers' own, whose place they take in its blocks: these
give each of them all that any may need."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

Kept = dict[str, tuple[Tensor, Tensor]]
"""A layer's name: keys and values of the portrait, (1, places, channels) each."""

SOUND_GAIN = 3.0
"""How much louder than trained the sound is (EchoMimicV2, mutual_self_attention.py, `audio_feature_ratio`)."""
_MOST_ROWS = 1 << 15
"""CUDA's kernels take at most 65,535 rows at once (Programming Guide, maximum y- and z-dimension of a grid)."""


class _Attention(nn.Module):  # type: ignore[misc]  # torch's classes are Any
    """Of the weights of diffusers' Attention."""

    def __init__(self, given: Any) -> None:
        super().__init__()
        self.heads = given.heads
        self.to_q, self.to_k, self.to_v, self.to_out = given.to_q, given.to_k, given.to_v, given.to_out

    def attended(self, query: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """(n, places, channels) like the query, without the output's projection."""
        heads = (each.unflatten(-1, (self.heads, -1)).transpose(1, 2) for each in (query, keys, values))
        return functional.scaled_dot_product_attention(*heads).transpose(1, 2).flatten(2)

    def output(self, seen: Tensor) -> Tensor:
        """Behind the output's projection."""
        made: Tensor = self.to_out[0](seen)
        return made

    def within(self, hidden: Tensor) -> Tensor:
        """Each place of (n, places, channels) looks at the others of the same n."""
        return self.output(self.attended(self.to_q(hidden), self.to_k(hidden), self.to_v(hidden)))


class Recording(_Attention):
    """Of the reference network: within the portrait. What it is given is written to `bank` by the layer's name."""

    def __init__(self, given: Any, layer: str) -> None:
        super().__init__(given)
        self.layer = layer

    def forward(self, hidden: Tensor, *, bank: dict[str, Tensor] | None = None, **unused: None) -> Tensor:
        if bank is not None:
            bank[self.layer] = hidden
        return self.within(hidden)


class Seeing(_Attention):
    """Of the denoiser: each frame looks at itself, and all but the first `free` frames at the portrait as well."""

    def __init__(self, given: Any, layer: str) -> None:
        super().__init__(given)
        self.layer = layer

    def forward(self, hidden: Tensor, *, kept: Kept | None = None, free: int = 0, **unused: Any) -> Tensor:
        if kept is None:
            return self.within(hidden)
        own = self.to_q(hidden), self.to_k(hidden), self.to_v(hidden)
        query, keys, values = (each[free:] for each in own)
        keys, values = (
            torch.cat((each, more.expand(len(each), -1, -1)), dim=1)
            for each, more in zip((keys, values), kept[self.layer], strict=True)
        )
        seen = self.attended(query, keys, values)
        if free:
            seen = torch.cat((self.attended(*(each[:free] for each in own)), seen))
        return self.output(seen)


class Hearing(_Attention):
    """Of the denoiser: all but the first `free` frames listen to their sound, (frames, 50, 384). Where there is none
    keys and values are zero, since their projections have no bias: what such an attention gives is its output's
    bias."""

    def forward(
        self, hidden: Tensor, *, encoder_hidden_states: Tensor | None = None, free: int = 0, **unused: Any
    ) -> Tensor:
        silence: Tensor = self.to_out[0].bias * SOUND_GAIN
        if encoder_hidden_states is None:
            return silence
        keys, values = self.to_k(encoder_hidden_states), self.to_v(encoder_hidden_states)
        heard = self.output(self.attended(self.to_q(hidden[free:]), keys, values)) * SOUND_GAIN
        return torch.cat((silence.expand_as(hidden[:free]), heard)) if free else heard


class Moving(_Attention):
    """Of a motion module: each place looks at itself in the window's other frames, (places, frames, channels)."""

    def forward(self, hidden: Tensor, **unused: None) -> Tensor:
        parts = [self.within(rows) for rows in hidden.split(_MOST_ROWS)]
        return parts[0] if len(parts) == 1 else torch.cat(parts)
