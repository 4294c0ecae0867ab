"""Whether the card that a voice is to work on is there. Imported in the voice's own environment."""

from __future__ import annotations

from typing import Any

from worker.hosting.served import Refused


def check_card(torch: Any, whose: str) -> None:
    """Raises Refused where the environment's torch finds none: its CUDA may be newer than the driver, though the torch
    of SmartTalker itself finds one. torch: the module; whose: the environment's."""
    if not torch.cuda.is_available():
        raise Refused(
            f"torch {torch.__version__} of {whose}'s environment finds no card: it needs a driver for CUDA"
            f" {torch.version.cuda} (`nvidia-smi` names the newest that yours is for); update it, or choose"
            " SMARTTALKER_DEVICE=cpu"
        )
