"""What the engine set remembers of each engine, and who uses it. Every method may be called from any thread."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.kinds import Layer
from worker.engines.base import Needs
from worker.gpu.room import Tenant


@dataclass(eq=False)
class Slot:
    """One engine. mb: MiB of the card that it holds while loaded, as declared, or more where more was measured.
    elsewhere_mb: what it said when it was last loaded that it holds in another process. left_mb: what it holds there
    although it was not loaded by this process: one that was killed left it. hung: its last load failed, and late.
    load_s: seconds that its last load took; None: this process has not loaded it.

    engine: None after it failed to unload; a new one is made then. ready: loaded. moving: a thread loads or unloads
    it now. holders: the thread of each use. used: when it was last used, in uses of the whole set.
    """

    layer: Layer
    name: str
    engine: Any
    needs: Needs
    mb: int
    elsewhere_mb: int = 0
    left_mb: int = 0
    hung: bool = False
    load_s: float | None = None
    ready: bool = False
    moving: bool = False
    holders: list[int] = field(default_factory=list)
    used: int = 0

    @property
    def idle(self) -> bool:
        return self.ready and not self.moving and not self.holders

    @property
    def tenant(self) -> Tenant:
        return Tenant(self.layer, self.name, self.mb, self.used, self.needs.exclusive, self.idle)

    def may_wait_for(self, other: Slot) -> bool:
        """Whether a load of this engine may wait until nobody uses the other.

        Layers wait for what earlier layers make, never the other way round; so may loads. A thread that waited for an
        engine that it uses itself would wait for ever.
        """
        return list(Layer).index(other.layer) <= list(Layer).index(self.layer) and (
            threading.get_ident() not in other.holders
        )


class Slots:
    """The slots of one process."""

    def __init__(self, make: Callable[[Layer, str], Any]) -> None:
        self._make = make
        self._slots: dict[tuple[Layer, str], Slot] = {}
        self._changed = threading.Condition()
        self._clock = itertools.count(1)
        self._given_up = 0

    def of(self, layer: Layer, name: str) -> Slot:
        """The engine's slot, with a new engine in it, not loaded, if it has none. Raises what making it raises."""
        with self._changed:
            slot = self._slots.get((layer, name))
        if slot is not None and slot.engine is not None:
            return slot
        engine = self._make(layer, name)  # may import for seconds, so outside the lock
        with self._changed:
            new = Slot(layer, name, engine, engine.needs, engine.needs.gpu_mb)
            slot = self._slots.setdefault((layer, name), new)
            slot.engine = slot.engine or engine
            return slot

    def take(self, slot: Slot) -> bool:
        """True: it is loaded, and the caller uses it now. False: the caller loads it, then says `moved`."""
        with self._changed:
            self._changed.wait_for(lambda: not slot.moving)
            if slot.ready:
                self._hold(slot)
            else:
                slot.moving = True
            return slot.ready

    def claim(self, slot: Slot) -> bool:
        """True: nobody uses it and the caller unloads it, then says `moved`."""
        with self._changed:
            if not slot.idle:
                return False
            slot.moving = True
            return True

    def moved(self, slot: Slot, *, ready: bool, held: bool = False) -> None:
        """Ends what `take` or `claim` began; held: the caller uses the engine from now on."""
        with self._changed:
            slot.moving, slot.ready = False, ready
            if held:
                self._hold(slot)
            self._changed.notify_all()

    def release(self, slot: Slot) -> None:
        with self._changed:
            slot.holders.remove(threading.get_ident())
            slot.used = next(self._clock)
            self._changed.notify_all()

    def loaded(self, but: Slot | None = None) -> list[Slot]:
        """The loaded ones, least recently used first."""
        with self._changed:
            return sorted((each for each in self._slots.values() if each.ready and each is not but), key=_last_use)

    def at_work(self) -> list[Slot]:
        """Those in use, and those that are being loaded; not those that are on their way out."""
        with self._changed:
            return [each for each in self._slots.values() if each.holders or (each.moving and not each.ready)]

    def wait_for_one(self, slots: Sequence[Slot], deadline: float) -> bool:
        """Until one of them is idle or gone; False where time.monotonic() reaches the deadline before that, or somebody
        gives up."""
        with self._changed:
            given_up = self._given_up
            self._changed.wait_for(
                lambda: self._given_up != given_up or any(slot.idle or not slot.ready for slot in slots),
                max(deadline - time.monotonic(), 0.0),
            )
            return self._given_up == given_up and any(slot.idle or not slot.ready for slot in slots)

    def give_up(self) -> None:
        """Whoever waits for others now waits no more."""
        with self._changed:
            self._given_up += 1
            self._changed.notify_all()

    def _hold(self, slot: Slot) -> None:
        slot.holders.append(threading.get_ident())
        slot.used = next(self._clock)


def _last_use(slot: Slot) -> int:
    return slot.used
