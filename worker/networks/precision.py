"""How wide the numbers are that networks compute with, and what is done when they overflow."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor, dtype, nn

_log = logging.getLogger(__name__)


class NotANumber(ArithmeticError):
    """A network computed infinities or no numbers at all."""


def dtype_of(device: str) -> dtype:
    """What networks compute with on it: float32 on a processor; on a card float16, in which the published weights of
    the picture's networks were run by their makers, and which tells eight times as many levels apart as bfloat16. What
    leaves its range is computed again (`finite`)."""
    import torch

    return torch.float16 if str(device).startswith("cuda") else torch.float32


def checked(tensor: Tensor) -> Tensor:
    """The same tensor. Raises NotANumber where any of it is not finite. Waits for the card."""
    import torch

    if not bool(torch.isfinite(tensor).all()):
        raise NotANumber("numbers that are not finite")
    return tensor


def move(network: nn.Module, *where: object, **how: object) -> None:
    """As torch's Module.to(device, dtype, …), in place, also for networks of diffusers, whose own `to` logs a warning
    about none of their parts."""
    from torch import nn

    nn.Module.to(network, *where, **how)


def finite(network: nn.Module, call: Callable[..., Tensor], *given: Tensor) -> Tensor:
    """call(*given), where call runs the network, whose type and device the given tensors take on.

    Where the outcome is not finite though all that was given is, and the network's numbers are narrower than float32,
    the call is made again, once, with the network in float32; the network is as before afterwards, and so is the
    outcome's type. Raises NotANumber.
    """
    import torch

    first = next(network.parameters())
    kind, device = first.dtype, first.device
    out = call(*(tensor.to(device, kind) for tensor in given))
    if bool(torch.isfinite(out).all()):
        return out
    if kind not in (torch.float16, torch.bfloat16) or not all(bool(torch.isfinite(each).all()) for each in given):
        raise NotANumber("numbers that are not finite")
    del out
    _log.warning("%s overflowed in %s: it computes this again in float32", type(network).__name__, kind)
    try:
        move(network, torch.float32)
        return checked(call(*(tensor.to(device, torch.float32) for tensor in given))).to(kind)
    finally:
        move(network, kind)
