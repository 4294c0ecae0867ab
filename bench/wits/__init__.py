"""The engines that need no download, on tables that they were not made from: who asks, what is felt, what is said."""

from __future__ import annotations

from bench.figures import Figures
from bench.wits import answering, feeling, hearing

__all__ = ["measure"]


def measure() -> Figures:
    """Shares of 0 to 1. Recognition takes some minutes: it hears 134 recordings."""
    return {**answering.measure(), **feeling.measure(), **hearing.measure()}
