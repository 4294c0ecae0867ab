"""What the render process tells its child to do: one module a kind, each with a class of base.Order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.errors import SmartTalkerError
from worker.orders.base import Order
from worker.orders.hear import Hear
from worker.orders.idle import Idle
from worker.orders.turn import Turn

KINDS: Mapping[str, type[Order]] = {"run": Turn, "hear": Hear, "idle": Idle}


def read(told: Mapping[str, Any]) -> Order:
    """The order of a frame {"do": one of KINDS, …}. Raises SmartTalkerError for an unknown kind, KeyError and TypeError
    where something is missing or too much."""
    kind = KINDS.get(told["do"])
    if kind is None:
        raise SmartTalkerError(f"the child knows no order {told['do']!r}")
    return kind.read(told)
