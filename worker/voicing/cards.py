"""The card that a voice works on: whether it is there, and what of it is held. Imported in the voice's own
environment."""

from __future__ import annotations

from typing import Any

from worker.hosting.served import Refused

_CONTEXT_MB = 500
"""What CUDA and its libraries hold of a card beside torch's own memory."""


def held_mb(torch: Any) -> int:
    """MiB of the card that this process holds, by torch's allocator and CUDA itself. torch: the module."""
    return (int(torch.cuda.memory_reserved()) >> 20) + _CONTEXT_MB


def check_card(torch: Any, whose: str) -> None:
    """Raises Refused where the environment's torch finds none: its CUDA may be newer than the driver, though the torch
    of SmartTalker itself finds one. torch: the module; whose: the environment's."""
    if not torch.cuda.is_available():
        raise Refused(
            f"torch {torch.__version__} of {whose}'s environment finds no card: it needs a driver for CUDA"
            f" {torch.version.cuda} (`nvidia-smi` names the newest that yours is for); update it, or choose"
            " SMARTTALKER_DEVICE=cpu"
        )
