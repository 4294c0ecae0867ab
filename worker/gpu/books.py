"""What the card holds: by our books, and as it says itself."""

from __future__ import annotations

import time

from worker.gpu.card import Card
from worker.gpu.room import MARGIN_MB, Tenant
from worker.gpu.slots import Slot, Slots

SETTLE_S = 5.0
"""Memory of another process (Ollama, an engine's own) comes back a moment after that process says so."""
_LOOK_S = 0.05


class Books:
    """One card and the engines of this process on it. All sizes in MiB.

    By the books an engine holds all that it needs, its working space included, from its load to its unload; the card
    shows less while it rests. Both must have room for another: the books, so that engines can work at the same time;
    the card, since other processes hold some of it and give it back late.
    """

    def __init__(self, slots: Slots, card: Card, settle_s: float = SETTLE_S) -> None:
        self._slots = slots
        self._settle_s = settle_s
        self.card = card

    def others(self, slot: Slot | None = None) -> list[tuple[Slot, Tenant]]:
        """The engines that hold some of the card, but this one, least recently used first."""
        return [(each, each.tenant) for each in self._slots.loaded(but=slot) if each.mb > 0]

    def room_mb(self, slot: Slot | None = None) -> int:
        """What the others leave of the card, by the books."""
        return self.card.total_mb - sum(tenant.mb for _, tenant in self.others(slot))

    def capacity_mb(self) -> int:
        """What all engines may have together, now that others hold what they hold."""
        return min(self.card.total_mb, self.card.free_mb() + self.card.total_mb - self.room_mb())

    def fits(self, slot: Slot) -> bool:
        """Whether it has room without anybody leaving."""
        alone = not slot.needs.exclusive and not any(each.needs.exclusive for each, _ in self.others(slot))
        free = min(self.room_mb(slot), self.card.free_mb() + slot.left_mb)
        return (alone or not self.others(slot)) and slot.mb + MARGIN_MB <= free

    def settled(self, needed_mb: int) -> bool:
        """Whether so much is free, now or within a moment."""
        deadline = time.monotonic() + self._settle_s
        while self.card.free_mb() < needed_mb:
            if time.monotonic() >= deadline:
                return False
            time.sleep(_LOOK_S)
        return True
