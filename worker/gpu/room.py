"""Who must leave so that another engine fits: the one rule of the engine set and of the planner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.kinds import Layer

MARGIN_MB = 512
"""Kept free on the card: the CUDA context of this process, fragmentation, and what a desktop draws."""

BESIDE: dict[Layer, tuple[Layer, ...]] = {
    Layer.ASR: (),
    Layer.EMOTION: (),
    Layer.LLM: (Layer.EMOTION,),
    Layer.TTS: (Layer.EMOTION, Layer.LLM),
    Layer.VIDEO: (Layer.EMOTION, Layer.LLM, Layer.TTS, Layer.UPSCALE),
    Layer.UPSCALE: (Layer.EMOTION, Layer.LLM, Layer.TTS, Layer.VIDEO),
}
"""The layers whose engines are in use while a layer's own is, unless it waits until they are done. A picture is
enlarged while the next is drawn, so video and upscale are one in this."""


@dataclass(frozen=True)
class Tenant:
    """An engine on the card. mb: MiB it holds, its working space included. used: counts up with every use, so that the
    smallest is the least recently used. idle: nobody uses it, so it may leave."""

    layer: Layer
    name: str
    mb: int
    used: int = 0
    exclusive: bool = False
    idle: bool = True


def who_leaves(
    layer: Layer, needed_mb: int, exclusive: bool, tenants: Sequence[Tenant], room_mb: int
) -> tuple[Tenant, ...] | None:
    """The tenants that must leave for one of `layer` that needs `needed_mb` (margin included) where `room_mb` are free.

    All others where it, or one of them, wants the card to itself. Else first those that a turn at this layer no longer
    needs, the least recently used first, then those that it still needs, the last layer's first; but none whose leaving
    the rest makes needless. None: those that may leave do not give enough.
    """
    bound = [tenant for tenant in tenants if exclusive or tenant.exclusive]
    if not all(tenant.idle for tenant in bound):
        return None
    short = needed_mb - room_mb - sum(tenant.mb for tenant in bound)
    idle = [tenant for tenant in tenants if tenant.idle and tenant not in bound]
    leaving: list[Tenant] = []
    for tenant in sorted(idle, key=lambda each: _turn_to_leave(each, layer)):
        if sum(each.mb for each in leaving) >= short:
            break
        leaving.append(tenant)
    given = sum(tenant.mb for tenant in leaving)
    if given < short:
        return None
    for tenant in tuple(leaving):
        if given - tenant.mb >= short:
            leaving.remove(tenant)
            given -= tenant.mb
    return (*bound, *leaving)


def _turn_to_leave(tenant: Tenant, layer: Layer) -> tuple[int, int]:
    """Sorts the first to leave first. By use alone, the ear would send away the language model that is asked next."""
    order = list(Layer)
    later = order.index(tenant.layer) - order.index(layer)
    return (-later, tenant.used) if later > 0 else (-len(order), tenant.used)
