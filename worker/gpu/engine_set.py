"""Which engines are loaded: each once, on first use, as many together as the card holds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any, TypeVar

from core.errors import LAYER_ERRORS, ConfigurationError, LayerError
from core.kinds import Layer
from core.logging import get_logger
from worker.engines import registry
from worker.engines.base import Needs, Place
from worker.exhaustion import is_beyond_repair, is_out_of_memory
from worker.gpu.books import SETTLE_S, Books
from worker.gpu.card import Card
from worker.gpu.cost import Cost, Meter
from worker.gpu.loading import WAIT_S, Loader, OnEvent, elsewhere_mb, left_mb
from worker.gpu.room import BESIDE, MARGIN_MB
from worker.gpu.slots import Slot, Slots
from worker.resting import Resting

log = get_logger(__name__)

Choose = Callable[[Layer, str | None], str]
"""From a layer and a language to an engine's name (Settings.engine is one)."""

HANGS_S = 10.0
"""A load that fails after so long was not refused, but waited for something that did not come."""

T = TypeVar("T")


def _nobody(_kind: str, **_data: Any) -> None:
    """Hears events that nobody asked for."""


class EngineSet:
    """The engines of one process. Every method may be called from any thread.

    An engine in use never leaves. A load may have to wait for engines in use, but only for those of its own and of
    earlier layers, and never for one that its own thread uses; so layers that wait for each other's output can't
    wait for each other's memory. Whoever keeps an engine while it waits for an earlier layer's output asks `along`
    first.
    """

    def __init__(
        self,
        choose: Choose,
        place: Place | None = None,
        card: Card | None = None,
        *,
        on_event: OnEvent = _nobody,
        make: Callable[[Layer, str, Place], Any] = registry.make,
        wait_s: float = WAIT_S,
        settle_s: float = SETTLE_S,
    ) -> None:
        """card: None where engines have no GPU. on_event: see worker.gpu.loading. make: makes engines. wait_s: the
        longest wait for engines in use; settle_s: for memory that was given back."""
        self._choose = choose
        self.place = place = place or Place()
        self.runs_on = card.name if card is not None else place.device
        self._slots = Slots(lambda layer, name: make(layer, name, place))
        self._books = None if card is None else Books(self._slots, card, settle_s)
        self._loader = Loader(
            self._slots, lambda slot: make(slot.layer, slot.name, place), self._books, on_event, wait_s
        )

        self.resting = Resting()
        self._broken = False
        self._meter = Meter(card, lambda: sum(elsewhere_mb(slot.engine) for slot in self._slots.loaded()))

    def name(self, layer: Layer, language: str | None = None) -> str:
        return self._choose(layer, language)

    def names(self, layer: Layer, language: str | None = None) -> tuple[str, ...]:
        """The engine for a layer and language, then those that stand in for it."""
        return registry.engines_of(layer, self.name(layer, language))

    @contextmanager
    def using(self, layer: Layer, name: str) -> Iterator[Any]:
        """The engine, loaded, and kept until the block ends.

        Raises ModelMissing, ConfigurationError, or the layer's error: `exhausted` where the card has no room for it.
        """
        slot = self._taken(layer, name)
        try:
            yield slot.engine
        except Exception as error:
            self._broken = self._broken or is_beyond_repair(error)
            raise
        finally:
            self._slots.release(slot)

    def run(self, layer: Layer, name: str, action: Callable[[Any], T]) -> T:
        """What `action(engine)` returns. Where memory runs out in it, the others leave and it is called once more;
        then the layer's error is raised, `exhausted`."""
        with self.using(layer, name) as engine:
            try:
                return action(engine)
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
            # Here the error is gone, and with it what the frames that it went through held on the card.
            self.make_room(layer, name)
            try:
                return action(engine)
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                told = str(error) if isinstance(error, LayerError) else f"{name}: {type(error).__name__}: {error}"
            raise LAYER_ERRORS[layer](told, exhausted=True)

    def make_room(self, layer: Layer, name: str) -> None:
        """For an engine that ran out of memory: all others that nobody uses leave. It need not be loaded itself."""
        self._loader.ran_out(self._slots.of(layer, name), "use")

    def along(self, layer: Layer, language: str | None = None, name: str | None = None) -> bool:
        """Whether the layer's engine (or the one named) may be used while those of the layers before it are, ASR
        excepted: they fit together, and it needs no card for itself. Else it waits until they are done. Raises as
        making an engine does."""
        own = self._slots.of(layer, name or self.name(layer, language))
        if own.needs.exclusive or self._books is None:
            return not own.needs.exclusive
        others = [self._slots.of(each, self.name(each, language)) for each in BESIDE[layer]]
        if any(slot.needs.exclusive and slot.mb for slot in others):
            return False
        needed = sum(slot.mb for slot in {own, *others})
        return own.mb == 0 or needed + MARGIN_MB <= self._books.capacity_mb()

    def check(self, languages: Sequence[str]) -> None:
        """Raises ModelMissing or ConfigurationError for the first engine that the settings name and that is not to be
        had or is too big for the card. A server that is away is logged: it may come."""
        for slot in self._chosen(languages):
            self._check_size(slot)
            try:
                registry.look(slot.layer, slot.engine)
            except LayerError as error:
                log.warning("engine_away", layer=slot.layer.value, engine=slot.name, detail=str(error))

    def warm_up(self, languages: Sequence[str]) -> None:
        """Loads what the first turn needs, in the order of the layers, as far as it fits together; but first what a
        process that was killed left on the card, since it takes its room either way. Raises ModelMissing and
        ConfigurationError; what fails otherwise is left to the turn."""
        for slot in self._left_first(languages):
            if not self._stays(slot, languages):
                continue
            try:
                with self.using(slot.layer, slot.name):
                    """Loaded is all."""
            except LayerError as error:
                known = {"layer": slot.layer.value, "engine": slot.name, "cause": error.cause}
                log.warning("engine_not_ready", **known, detail=str(error))

    def needs(self, layer: Layer, name: str) -> Needs:
        """What the engine asks of the machine, loaded or not."""
        return self._slots.of(layer, name).needs

    def engine(self, layer: Layer, name: str) -> Any:
        """Loaded or not, for what it tells without. Raises as making an engine does."""
        return self._slots.of(layer, name).engine

    def is_loaded(self, layer: Layer, name: str) -> bool:
        return self._slots.of(layer, name).ready

    def load_s(self, layer: Layer, name: str) -> float | None:
        """Seconds that the engine's last load took, waiting for memory not counted; None before its first."""
        return self._slots.of(layer, name).load_s

    def prepare(self, language: str | None = None) -> None:
        """For when nobody waits: what the next turn in this language needs first comes back and the picture's engines
        make way, as far as all that fits together. What fails is left to the turn, as is what hung in the last one: it
        would keep a turn waiting that comes meanwhile."""
        with ExitStack() as kept:
            for layer in (Layer.ASR, Layer.EMOTION, Layer.LLM, Layer.TTS):
                name = self.name(layer, language)
                if self._slots.of(layer, name).hung:
                    continue
                try:
                    kept.enter_context(self.using(layer, name))
                except LayerError as error:
                    log.info("engine_not_ready", layer=layer.value, engine=name, cause=error.cause)

    def interrupt(self) -> None:
        """Engines that wait for another process drop what they do for whoever uses or loads them now; loads that wait
        for engines in use fail, as without room."""
        self._slots.give_up()
        for slot in self._slots.at_work():
            if interrupt := getattr(slot.engine, "interrupt", None):
                interrupt()

    def meter(self) -> AbstractContextManager[Cost]:
        """`with engines.meter() as cost:` measures the block; see worker.gpu.cost."""
        return self._meter()

    def unload(self) -> None:
        """All that nobody uses leave; one that fails to does not keep the others."""
        for slot in self._slots.loaded():
            self._loader.leave(slot)
        if self._books is not None:
            self._books.card.tidy()

    @property
    def worn(self) -> bool:
        """Whether only a new process helps: the card's context is broken, or an engine kept memory of this one."""
        return self._broken or self._loader.leaked

    def loaded(self) -> tuple[tuple[Layer, str], ...]:
        """What is loaded now, least recently used first."""
        return tuple((slot.layer, slot.name) for slot in self._slots.loaded())

    def _taken(self, layer: Layer, name: str) -> Slot:
        slot = self._slots.of(layer, name)
        if self._slots.take(slot):
            return slot
        began = time.monotonic()
        try:
            self._loader.bring(slot)
        except BaseException:
            slot.hung = time.monotonic() - began > HANGS_S
            self._slots.moved(slot, ready=False)
            raise
        slot.hung = False
        self._slots.moved(slot, ready=True, held=True)
        return slot

    def _chosen(self, languages: Sequence[str]) -> Iterator[Slot]:
        """Layer by layer, each engine once."""
        names = dict.fromkeys((layer, self.name(layer, each)) for layer in Layer for each in (None, *languages))
        return (self._slots.of(layer, name) for layer, name in names)

    def _left_first(self, languages: Sequence[str]) -> list[Slot]:
        slots = list(self._chosen(languages))
        if self._books is None:
            return slots
        for slot in slots:
            slot.left_mb = 0 if slot.ready else left_mb(slot.engine)
        return sorted(slots, key=lambda slot: slot.left_mb == 0)

    def _stays(self, slot: Slot, languages: Sequence[str]) -> bool:
        """Whether it can be loaded and need not make way in every turn, nor others for it."""
        if self._books is None or slot.mb == 0 or slot.ready:
            return True
        late = slot.layer in (Layer.VIDEO, Layer.UPSCALE)
        waits = late and not all(self.along(slot.layer, language, slot.name) for language in languages)
        return not waits and self._books.fits(slot)

    def _check_size(self, slot: Slot) -> None:
        if self._books is not None and slot.mb and slot.mb + MARGIN_MB > self._books.card.total_mb:
            has = f"{self._books.card.name} has {self._books.card.total_mb:,}"
            needs = f"needs {slot.mb:,} MiB and {MARGIN_MB} to spare, {has}"
            raise ConfigurationError(f"the {slot.layer} engine {slot.name} {needs}: see `smarttalker models plan`")
