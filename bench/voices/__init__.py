"""What voices cost beside their engines, how well phonemes are timed for them, and how often good speech is refused."""

from __future__ import annotations

from bench.figures import Figures
from bench.voices import added, alarms, hosts, times

__all__ = ["measure"]


def measure() -> Figures:
    """About 25 s of processor time: hosts and alignment are processes of their own, and everything is spoken for it."""
    return {**hosts.measure(), **added.measure(), **times.measure(), **alarms.measure()}
