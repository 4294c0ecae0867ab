"""The names of EchoMimicV2's published tensors, and those of the same tensors in diffusers' blocks.

The reference network's and the pose encoder's are the same in both. The denoiser's lie in two files, the motion
modules apart, whose parts diffusers names otherwise. Every name is accounted for: what no rule drops reaches
`worker.networks.checkpoint.fill`, which takes neither one too many nor one too few.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from worker.networks.checkpoint import CheckpointError

if TYPE_CHECKING:
    from torch import Tensor

_MOTION = ".motion_modules."
_RULES = (
    (re.compile(r"\.temporal_transformer\."), "."),
    (re.compile(r"\.attention_blocks\.0\.pos_encoder\.pe$"), ".pos_embed.pe"),
    (re.compile(r"\.attention_blocks\.0\."), ".attn1."),
    (re.compile(r"\.attention_blocks\.1\."), ".attn2."),
    (re.compile(r"\.norms\.0\."), ".norm1."),
    (re.compile(r"\.norms\.1\."), ".norm2."),
    (re.compile(r"\.ff_norm\."), ".norm3."),
)
_DROPPED = re.compile(r"(\.attention_blocks)\.1(\.pos_encoder\.pe)$")
"""A motion block's two attentions tell the same moments by the same numbers; diffusers keeps them once."""
_TWIN = r"\1.0\2"


def denoiser(network: Mapping[str, Tensor], motion: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Both files' tensors by diffusers' names; what both have is taken from `network`. Raises CheckpointError where a
    tensor would be dropped that tells something of its own."""
    merged = {**motion, **network}
    return {renamed(key): tensor for key, tensor in merged.items() if not _is_twin(key, merged)}


def renamed(key: str) -> str:
    """A denoiser's published name as diffusers has it."""
    if _MOTION in key:
        for pattern, name in _RULES:
            key = pattern.sub(name, key)
    return key


def _is_twin(key: str, merged: Mapping[str, Tensor]) -> bool:
    if not _DROPPED.search(key):
        return False
    twin = merged.get(_DROPPED.sub(_TWIN, key))
    if twin is not None and not (twin.shape == merged[key].shape and bool((twin == merged[key]).all())):
        raise CheckpointError(f"{key} differs from its twin of the first attention: these are other weights")
    return twin is not None
