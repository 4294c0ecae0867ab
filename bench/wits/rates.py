"""Shares by group."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

Rates = dict[str, float]
ALL = "all"


def rates(results: Iterable[tuple[Iterable[str], bool]]) -> Rates:
    """The share of successes in each group that a result belongs to, and in all."""
    groups: dict[str, list[bool]] = defaultdict(list)
    for names, right in results:
        for name in (ALL, *names):
            groups[name].append(right)
    return {name: sum(right) / len(right) for name, right in groups.items()}
