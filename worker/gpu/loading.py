"""Bringing an engine in: making room on the card, loading, and once more where memory ran out."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from core.errors import LAYER_ERRORS, LayerError, SmartTalkerError
from core.logging import get_logger
from worker.exhaustion import is_out_of_memory
from worker.gpu.books import Books
from worker.gpu.room import MARGIN_MB, Tenant, who_leaves
from worker.gpu.slots import Slot, Slots

log = get_logger(__name__)

WAIT_S = 180.0
"""A load waits at most so long for engines in use to become idle: longer than any answer is thought of or spoken."""
_GROWTH = 1.25
"""So much more than it declares is reserved for an engine that ran out of memory beside others."""

OnEvent = Callable[..., object]
"""Called with a kind and what it tells, all with layer and engine: engine_loaded (seconds, mb), engine_evicted (why),
unload_failed (error), exhausted (during: load or use)."""


class Loader:
    """Loads and unloads the engines of one process. One thread at a time makes room on the card and loads; engines
    that need nothing of it, and uses of loaded ones, wait for nobody."""

    def __init__(
        self, slots: Slots, make: Callable[[Slot], Any], books: Books | None, on_event: OnEvent, wait_s: float
    ) -> None:
        """books: None where there is no card. leaked: an engine failed to give back what this process holds."""
        self._slots = slots
        self._make = make
        self._books = books
        self._on_event = on_event
        self._wait_s = wait_s
        self._door = threading.Lock()
        self.leaked = False

    def bring(self, slot: Slot) -> None:
        """Loads it; the slot is the caller's to move. Raises its layer's error, `exhausted` where there is no room."""
        if self._books is None or slot.mb == 0:
            self._load(slot)
            return
        slot.left_mb = left_mb(slot.engine)
        deadline = time.monotonic() + self._wait_s
        while True:
            with self._door:
                in_the_way = self._make_room(slot, self._books)
                if not in_the_way:
                    self._load(slot)
                    return
            if not self._slots.wait_for_one(in_the_way, deadline):
                waited = time.monotonic() - deadline + self._wait_s
                raise self._no_room(slot, self._books, f"waited {waited:.1f} s for {_names(in_the_way)}")

    def leave(self, slot: Slot) -> bool:
        """Unloads it if nobody uses it; says whether."""
        if not self._slots.claim(slot):
            return False
        try:
            self._unload(slot)
        finally:
            self._slots.moved(slot, ready=False)
        return True

    def ran_out(self, slot: Slot, during: str) -> None:
        """For an engine that ran out of memory: all others that nobody uses leave, what they held is waited for, and
        more is reserved for it from now on if it had room by the books."""
        self._tell("exhausted", slot, during=during)
        others = self._slots.loaded(but=slot)
        if self._books is None:
            self._evict(others, slot)
            return
        before = self._books.card.free_mb()
        given = sum(other.mb for other in self._evict(others, slot))
        if given and slot.mb:
            most = self._books.card.total_mb - MARGIN_MB
            slot.mb = max(slot.mb, min(round(slot.needs.gpu_mb * _GROWTH), most))
            self._books.settled(min(before + given, most))

    def _make_room(self, slot: Slot, books: Books) -> list[Slot]:
        """Empty: there is room. Else engines in use that must be waited for. Raises the layer's error, `exhausted`.

        Who leaves is decided by the books; where the card then has less than they say, since somebody else holds it
        or did not give it back, by what the card says, and where that does not help either, all leave.
        """
        needed, card = slot.mb + MARGIN_MB, books.card
        free = max(needed - slot.left_mb, 0)
        if needed > card.total_mb:
            raise self._no_room(slot, books, f"the card has {card.total_mb:,}")
        card.tidy()
        while True:
            others = books.others(slot)
            leaving = _who(slot, needed, others, books.room_mb(slot))
            if leaving is None:
                return self._in_the_way(slot, needed, others, books)
            self._evict(leaving, slot)
            if books.settled(free):
                return []
            others = books.others(slot)
            leaving = _who(slot, free, others, card.free_mb())
            if leaving is None:
                leaving = [other for other, tenant in others if tenant.idle]
                if not leaving:
                    return self._in_the_way(slot, needed, others, books)
            self._evict(leaving, slot)

    def _evict(self, leaving: Iterable[Slot], slot: Slot) -> list[Slot]:
        """Gives those that left: one that is in use again stays."""
        left = [other for other in leaving if self.leave(other)]
        for other in left:
            self._tell("engine_evicted", other, why=f"room for {slot.layer}/{slot.name}")
        if left and self._books is not None:
            self._books.card.tidy()
        return left

    def _in_the_way(self, slot: Slot, needed: int, others: Sequence[tuple[Slot, Tenant]], books: Books) -> list[Slot]:
        """The engines in use that this load may wait for. Raises the layer's error where that would not help."""
        waited = [other for other, tenant in others if not tenant.idle and slot.may_wait_for(other)]
        later = [(other, replace(tenant, idle=tenant.idle or other in waited)) for other, tenant in others]
        if not waited or _who(slot, needed, later, books.room_mb(slot)) is None:
            loaded = _names([other for other, _ in others])
            raise self._no_room(slot, books, f"{loaded} must stay" if loaded else "other programs hold the rest")
        return waited

    def _load(self, slot: Slot) -> None:
        if self._loaded(slot) is None:
            return
        self.ran_out(slot, "load")
        if (told := self._loaded(slot)) is not None:
            raise LAYER_ERRORS[slot.layer](f"{slot.name}: {told}", exhausted=True)

    def _loaded(self, slot: Slot) -> str | None:
        """None, or what was said of memory that ran out. Only words: an error holds on to the frames that it went
        through, and these to what was loaded until then. Raises the layer's error for all else."""
        began, alone = time.perf_counter(), self._alone(slot)
        before = self._books.card.held_mb() if self._books else 0
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
        slot.elsewhere_mb = elsewhere_mb(slot.engine)
        if self._books is not None and slot.mb and alone and self._alone(slot):
            slot.mb = max(slot.mb, slot.elsewhere_mb or self._books.card.held_mb() - before)
        slot.load_s = time.perf_counter() - began
        self._tell("engine_loaded", slot, seconds=round(slot.load_s, 2), mb=slot.mb)
        return None

    def _alone(self, slot: Slot) -> bool:
        """Whether no other engine is in use, so that what is measured is this one's."""
        return not any(other.holders for other in self._slots.loaded(but=slot))

    def _unload(self, slot: Slot) -> None:
        """An engine that fails to unload is dropped: its references go, a new one is made when it is wanted, and what
        it did not give back is missed when room is next measured."""
        try:
            if slot.engine is not None:
                slot.engine.unload()
        except Exception as error:
            slot.engine = None
            ours = self._books is not None and slot.mb > 0 and not (slot.needs.elsewhere or slot.elsewhere_mb)
            self.leaked = self.leaked or ours
            self._tell("unload_failed", slot, error=type(error).__name__)

    def _no_room(self, slot: Slot, books: Books, why: str) -> LayerError:
        needs = f"{slot.name} needs {slot.mb:,} MiB of {books.card.name} and {MARGIN_MB} to spare"
        return LAYER_ERRORS[slot.layer](f"{needs}, {books.card.free_mb():,} are free: {why}", exhausted=True)

    def _tell(self, kind: str, slot: Slot, **data: Any) -> None:
        known = {"layer": slot.layer.value, "engine": slot.name, **data}
        said = "out_of_memory" if kind == "exhausted" else kind
        (log.info if kind in ("engine_loaded", "engine_evicted") else log.warning)(said, **known)
        self._on_event(kind, **known)


def _who(slot: Slot, needed: int, others: Sequence[tuple[Slot, Tenant]], room: int) -> list[Slot] | None:
    """who_leaves, in slots."""
    slots = {tenant: other for other, tenant in others}
    leaving = who_leaves(slot.layer, needed, slot.needs.exclusive, list(slots), room)
    return None if leaving is None else [slots[tenant] for tenant in leaving]


def elsewhere_mb(engine: Any) -> int:
    """MiB of the card that the engine last knew to hold in another process (asked often, so at no cost); 0 for one that
    has none."""
    return _told(engine, "memory_mb")


def left_mb(engine: Any) -> int:
    """MiB of the card that a process that was killed left to the engine in another process; 0 as above."""
    return _told(engine, "left_mb")


def _told(engine: Any, method: str) -> int:
    asked = getattr(engine, method, None)
    try:
        return int(asked()) if asked else 0
    except SmartTalkerError:
        return 0


def _names(slots: Sequence[Slot]) -> str:
    return ", ".join(f"{slot.layer}/{slot.name}" for slot in slots)
