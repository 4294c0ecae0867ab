"""Bringing an engine in: making room on the card, loading, and once more where memory ran out."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from core.errors import LAYER_ERRORS, LayerError, SmartTalkerError
from core.logging import get_logger
from worker.gpu.card import Card
from worker.gpu.exhaustion import is_out_of_memory
from worker.gpu.room import MARGIN_MB, Tenant, who_leaves
from worker.gpu.slots import Slot, Slots

log = get_logger(__name__)

SETTLE_S = 5.0
"""Memory of another process (Ollama, an engine's own) comes back a moment after that process says so."""
WAIT_S = 180.0
"""A load waits at most so long for engines in use to become idle: longer than any answer is thought or spoken."""
_LOOK_S = 0.05
_GROWTH = 1.25
"""So much more is reserved for an engine that ran out of memory beside others than was declared for it."""

OnEvent = Callable[..., object]
"""Called with a kind and what it tells, all with layer and engine: engine_loaded (seconds, mb), engine_evicted (why),
unload_failed (error), exhausted (during: load or use)."""


class Loader:
    """Loads and unloads engines of one process. One at a time makes room on the card and loads; engines that need
    nothing of it, and uses of loaded ones, wait for nobody."""

    def __init__(self, slots: Slots, make: Callable[[Slot], Any], card: Card | None, on_event: OnEvent) -> None:
        self._slots = slots
        self._make = make
        self._card = card
        self._on_event = on_event
        self._door = threading.Lock()
        self.wait_s = WAIT_S
        self.settle_s = SETTLE_S

    def counts(self, slot: Slot) -> bool:
        """Whether the engine holds memory of our card."""
        return self._card is not None and slot.mb > 0

    def bring(self, slot: Slot) -> None:
        """Loads it; the slot is the caller's to move. Raises its layer's error, `exhausted` where there is no room."""
        if self._card is None or not self.counts(slot):
            self._load_or_clear(slot)
            return
        deadline = time.monotonic() + self.wait_s
        while True:
            with self._door:
                in_the_way = self._make_room(slot, self._card)
                if not in_the_way:
                    self._load_or_clear(slot)
                    return
            if not self._slots.wait_for_one(in_the_way, deadline):
                raise self._no_room(slot, self._card, f"it waited {self.wait_s:g} s for {_names(in_the_way)}")

    def evict(self, slot: Slot, why: str) -> bool:
        """Unloads it if nobody uses it. One that fails to unload is forgotten; what it gave back is measured anyway."""
        if not self._slots.claim(slot):
            return False
        try:
            self._unload(slot)
        finally:
            self._slots.moved(slot, ready=False)
        self._tell("engine_evicted", layer=slot.layer.value, engine=slot.name, why=why)
        return True

    def ran_out(self, slot: Slot, during: str) -> None:
        """For an engine that ran out of memory while it had room by the books: more is reserved for it from now on,
        and all others leave."""
        self._tell("exhausted", layer=slot.layer.value, engine=slot.name, during=during)
        if self._card is not None and self.counts(slot):
            slot.mb = max(slot.mb, min(round(slot.mb * _GROWTH), self._card.total_mb - MARGIN_MB))
        self._clear(slot)

    def _clear(self, slot: Slot) -> None:
        """All others that nobody uses leave, and what they held is waited for."""
        before, given = self._card.free_mb() if self._card else 0, 0
        for other in self._slots.loaded(but=slot):
            if self.evict(other, f"{slot.layer}/{slot.name} ran out of memory") and self.counts(other):
                given += other.mb
        self.tidy()
        if self._card is not None and given:
            self._settled(min(before + given, self._card.total_mb) - MARGIN_MB, self._card)

    def tidy(self) -> None:
        if self._card is not None:
            self._card.tidy()

    def tenants(self, but: Slot | None = None) -> list[Tenant]:
        """The loaded engines that hold memory of the card."""
        return [slot.tenant for slot in self._slots.loaded(but) if self.counts(slot)]

    def room_mb(self, but: Slot | None = None) -> int:
        """By the books: what the loaded engines leave of the card, each with its working space."""
        return (self._card.total_mb if self._card else 0) - sum(tenant.mb for tenant in self.tenants(but))

    def _make_room(self, slot: Slot, card: Card) -> list[Slot]:
        """First by the books, then as the card says. What it returns is in use and must be waited for; nothing: there
        is room. Raises the layer's error, `exhausted`."""
        needed = slot.mb + MARGIN_MB
        if needed > card.total_mb:
            raise self._no_room(slot, card, f"the card has {card.total_mb:,}")
        card.tidy()
        room = self.room_mb(slot)
        leaving = who_leaves(needed, slot.needs.exclusive, self.tenants(slot), room)
        while leaving is not None:
            self._leave(leaving, slot)
            if self._settled(needed, card):
                return []
            leaving = self._more(slot, needed, card)
        in_the_way = self._worth_waiting_for(slot, needed, self.room_mb(slot))
        if not in_the_way:
            raise self._no_room(slot, card, f"{_names(self._slots.loaded(slot)) or 'nothing of ours'} is loaded")
        return in_the_way

    def _more(self, slot: Slot, needed: int, card: Card) -> tuple[Tenant, ...] | None:
        """Who leaves where the card has less than the books say: somebody else holds it, or did not give it back."""
        tenants = self.tenants(slot)
        leaving = who_leaves(needed, slot.needs.exclusive, tenants, card.free_mb())
        if leaving is None:
            leaving = tuple(tenant for tenant in tenants if tenant.idle)
        return leaving or None

    def _leave(self, leaving: tuple[Tenant, ...], slot: Slot) -> None:
        for tenant in leaving:
            self.evict(self._slots.of(tenant.layer, tenant.name), f"room for {slot.layer}/{slot.name}")
        if leaving:
            self.tidy()

    def _worth_waiting_for(self, slot: Slot, needed: int, room: int) -> list[Slot]:
        """The engines in use that this load may wait for, where it would have room once they are idle."""
        others = [each for each in self._slots.loaded(slot) if self.counts(each)]
        waited = [each for each in others if each.holders and slot.may_wait_for(each)]
        later = [replace(each.tenant, idle=each.idle or each in waited) for each in others]
        return waited if who_leaves(needed, slot.needs.exclusive, later, room) is not None else []

    def _settled(self, needed: int, card: Card) -> bool:
        """Whether so much is free, now or within a moment."""
        deadline = time.monotonic() + self.settle_s
        while card.free_mb() < needed:
            if time.monotonic() >= deadline:
                return False
            time.sleep(min(_LOOK_S, self.settle_s))
        return True

    def _load_or_clear(self, slot: Slot) -> None:
        told = self._loaded(slot)
        if told is None:
            return
        self.ran_out(slot, "load")
        if (told := self._loaded(slot)) is not None:
            raise LAYER_ERRORS[slot.layer](f"{slot.name}: {told}", exhausted=True)

    def _loaded(self, slot: Slot) -> str | None:
        """None, or what was said of memory that ran out. Only words: an error holds on to the frames that it went
        through, and these to what was loaded until then. Raises the layer's error for all else."""
        began, alone = time.perf_counter(), self._alone(slot)
        before = self._card.held_mb() if self._card else 0
        try:
            slot.engine = slot.engine or self._make(slot)
            slot.engine.load()
        except Exception as error:
            self._unload(slot)
            if is_out_of_memory(error):
                return f"{type(error).__name__}: {error}"
            if isinstance(error, SmartTalkerError):
                raise
            raise LAYER_ERRORS[slot.layer](f"{slot.name}: {type(error).__name__}") from error
        if self.counts(slot) and alone and self._alone(slot):
            slot.mb = max(slot.mb, self._measured(slot, before))
        self._tell(
            "engine_loaded",
            layer=slot.layer.value,
            engine=slot.name,
            seconds=round(time.perf_counter() - began, 2),
            mb=slot.mb if self.counts(slot) else 0,
        )
        return None

    def _alone(self, slot: Slot) -> bool:
        """Whether no other engine is in use, so that what is measured is this one's."""
        return not any(other.holders for other in self._slots.loaded(slot))

    def _measured(self, slot: Slot, before: int) -> int:
        """MiB that the engine holds since it is loaded."""
        try:
            return elsewhere_mb(slot.engine) or (self._card.held_mb() - before if self._card else 0)
        except LayerError:
            return 0

    def _unload(self, slot: Slot) -> None:
        """An engine that fails to unload is dropped: its references go, and a new one is made when it is wanted."""
        try:
            if slot.engine is not None:
                slot.engine.unload()
        except Exception as error:
            slot.engine = None
            self._tell("unload_failed", layer=slot.layer.value, engine=slot.name, error=type(error).__name__)

    def _no_room(self, slot: Slot, card: Card, why: str) -> LayerError:
        needed = f"{slot.name} needs {slot.mb:,} MiB of {card.name} and {MARGIN_MB} to spare"
        return LAYER_ERRORS[slot.layer](f"{needed}, {card.free_mb():,} are free: {why}", exhausted=True)

    def _tell(self, kind: str, **data: Any) -> None:
        (log.info if kind == "engine_loaded" else log.warning)(kind, **data)
        self._on_event(kind, **data)


def elsewhere_mb(engine: Any) -> int:
    """MiB of the card that the engine holds in another process, 0 for one that has none. Raises the layer's error."""
    asked = getattr(engine, "memory_mb", None)
    return int(asked()) if asked else 0


def _names(slots: list[Slot]) -> str:
    return ", ".join(f"{slot.layer}/{slot.name}" for slot in slots)
