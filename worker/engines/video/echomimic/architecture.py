"""What the networks of a checkpoint look like: read from its tensors' shapes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from worker.networks.checkpoint import CheckpointError, read_config

if TYPE_CHECKING:
    from torch import Tensor

Mode = Literal["accelerated", "normal"]
"""Which of the two published denoisers."""

CONFIG = "config.json"
_LEVELS = 4
_MULTIPLE = 64
"""Latents are an eighth of the picture, and the lowest level an eighth of those."""


@dataclass(frozen=True)
class Hidden:
    """What no shape tells. The published networks have these numbers; a folder whose networks have others says so in
    its config.json, an object of any of these names.

    heads: of the attentions within a frame. groups: of the norms within a frame. motion_heads, motion_groups: those
    of the motion modules. side: of the pictures that the networks learned from, in pixels, a multiple of 64.
    """

    heads: int = 8
    groups: int = 32
    motion_heads: int = 8
    motion_groups: int = 32
    side: int = 768

    @classmethod
    def of(cls, folder: Path) -> Hidden:
        """Raises CheckpointError for a config.json that says other things."""
        path = folder / CONFIG
        if not path.is_file():
            return cls()
        told = read_config(path)
        names = {field.name for field in fields(cls)}
        odd = [name for name, value in told.items() if name not in names or not _is_count(value)]
        if odd:
            raise CheckpointError(f"{path} says {', '.join(odd[:5])}: it may tell {', '.join(sorted(names))}, above 0")
        made = replace(cls(), **told)
        if made.side % _MULTIPLE:
            raise CheckpointError(f"{path} says side: {made.side} is no multiple of {_MULTIPLE}")
        return made


@dataclass(frozen=True)
class Architecture:
    """widths: channels of the four levels. layers: of a level on its way down. sound: numbers in a vector of sound.
    moments: the longest window. Both are 0 in the reference network, which neither hears nor moves."""

    widths: tuple[int, ...]
    layers: int
    sound: int
    moments: int
    hidden: Hidden

    @classmethod
    def of_reference(cls, state: Mapping[str, Tensor], hidden: Hidden, name: str) -> Architecture:
        """Of the tensors by diffusers' names. Raises CheckpointError, whose text begins with `name`, where they tell
        no such network."""
        widths = tuple(
            _length(state, f"down_blocks.{level}.resnets.0.conv1.weight", 0, name) for level in range(_LEVELS)
        )
        layers = 0
        while f"down_blocks.0.resnets.{layers}.conv1.weight" in state:
            layers += 1
        _check_divisors(widths, (hidden.heads, hidden.groups), name)
        return cls(widths, layers, 0, 0, hidden)

    @classmethod
    def of_denoiser(cls, state: Mapping[str, Tensor], hidden: Hidden, name: str) -> Architecture:
        """As `of_reference`."""
        sound = _length(state, "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight", 1, name)
        moments = _length(state, "down_blocks.0.motion_modules.0.transformer_blocks.0.pos_embed.pe", 1, name)
        within = cls.of_reference(state, hidden, name)
        _check_divisors(within.widths, (hidden.motion_heads, hidden.motion_groups), name)
        return replace(within, sound=sound, moments=moments)

    @property
    def unet(self) -> dict[str, Any]:
        """What diffusers' networks of both kinds are told."""
        return {
            "block_out_channels": self.widths,
            "layers_per_block": self.layers,
            "norm_num_groups": self.hidden.groups,
        }


def pose_widths(state: Mapping[str, Tensor], name: str) -> tuple[int, tuple[int, ...]]:
    """The channels that a pose encoder gives, and those of its layers on the way there. Raises CheckpointError."""
    widths = [_length(state, "conv_in.weight", 0, name)]
    while (key := f"blocks.{2 * len(widths) - 1}.weight") in state:
        widths.append(_length(state, key, 0, name))
    return _length(state, "conv_out.weight", 0, name), tuple(widths)


def _check_divisors(widths: tuple[int, ...], divisors: Iterable[int], name: str) -> None:
    for divisor in divisors:
        if any(width % divisor for width in widths):
            raise CheckpointError(f"{name}: levels of {widths} channels are not made of {divisor} equal parts")


def _length(state: Mapping[str, Tensor], key: str, axis: int, name: str) -> int:
    if key not in state or state[key].ndim <= axis or state[key].shape[axis] < 1:
        raise CheckpointError(f"{name} holds no part of EchoMimicV2 that tells its size: {key} is missing or odd")
    return int(state[key].shape[axis])


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
