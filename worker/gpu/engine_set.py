"""Which engines are loaded: each once, on first use, as many together as the card holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from core.errors import LAYER_ERRORS, ConfigurationError, LayerError
from core.kinds import Layer
from core.logging import get_logger
from worker.engines import registry
from worker.engines.base import Place
from worker.gpu.card import Card
from worker.gpu.exhaustion import is_out_of_memory
from worker.gpu.loading import Loader, OnEvent
from worker.gpu.room import MARGIN_MB
from worker.gpu.slots import Slot, Slots

log = get_logger(__name__)

Choose = Callable[[Layer, str | None], str]
"""From a layer and a language to an engine's name (Settings.engine is one)."""

T = TypeVar("T")

_BESIDE: dict[Layer, tuple[Layer, ...]] = {
    Layer.EMOTION: (),
    Layer.LLM: (Layer.EMOTION,),
    Layer.TTS: (Layer.EMOTION, Layer.LLM),
    Layer.VIDEO: (Layer.EMOTION, Layer.LLM, Layer.TTS, Layer.UPSCALE),
    Layer.UPSCALE: (Layer.EMOTION, Layer.LLM, Layer.TTS, Layer.VIDEO),
}
"""The layers whose engines are used while a layer's own is, when it does not wait for them."""


def _nobody(_kind: str, **_data: Any) -> None:
    """Hears events that nobody asked for."""


class EngineSet:
    """The engines of one process. Every method may be called from any thread.

    An engine in use never leaves. A load may have to wait for engines in use, but only for those of its own and of
    earlier layers, and never for one that its own thread uses; so layers that wait for each other's output can't
    wait for each other's memory. Whoever uses an engine while it waits for an earlier layer's output asks `along`
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
    ) -> None:
        """card: None where engines have no GPU. on_event: see worker.gpu.loading. make: makes engines."""
        self._choose = choose
        self._place = place or Place()
        self._card = card
        self._slots = Slots(lambda layer, name: make(layer, name, self._place))
        self._loader = Loader(self._slots, lambda slot: make(slot.layer, slot.name, self._place), card, on_event)

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
        """For an engine that ran out of memory: all others that nobody uses leave. Nobody need use it."""
        self._loader.ran_out(self._slots.of(layer, name), "use")

    def along(self, layer: Layer, language: str | None = None, name: str | None = None) -> bool:
        """Whether the layer's engine (or the one named) fits beside those of the layers that run at the same time,
        so that it may be used while they are; else it must wait until they are done. Yes without a card, except for
        an engine that gets its input whole. Raises as making an engine does."""
        own = self._slots.of(layer, name or self.name(layer, language))
        others = [self._slots.of(each, self.name(each, language)) for each in _BESIDE.get(layer, ())]
        before = [slot for slot in others if slot.layer is not Layer.UPSCALE]
        if own.needs.exclusive or any(slot.needs.exclusive for slot in before if self._loader.counts(slot)):
            return False
        company = {own, *others}
        needed = sum(slot.mb for slot in company if self._loader.counts(slot))
        return self._card is None or needed == 0 or needed + MARGIN_MB <= self._capacity_mb(self._card)

    def check(self, languages: tuple[str, ...]) -> None:
        """Raises ModelMissing or ConfigurationError for the first engine that the settings name and that is not to be
        had or is too big for the card. A server that is away is logged: it may come."""
        for layer, name in self._chosen(languages):
            slot = self._slots.of(layer, name)
            self._check_size(slot)
            try:
                registry.look(layer, slot.engine)
            except LayerError as error:
                log.warning("engine_away", layer=layer.value, engine=name, detail=str(error))

    def warm_up(self, languages: tuple[str, ...]) -> None:
        """Loads what the first turn needs, in the order of the layers, as far as it fits together. Raises ModelMissing
        and ConfigurationError; what fails otherwise is left to the turn."""
        for layer, name in self._chosen(languages):
            slot = self._slots.of(layer, name)
            if not self._has_room(slot) or not self._stays(slot, languages):
                continue
            try:
                with self.using(layer, name):
                    """Loaded is all."""
            except LayerError as error:
                log.warning("engine_not_ready", layer=layer.value, engine=name, cause=error.cause, detail=str(error))

    def unload(self) -> None:
        """All that nobody uses leave; an engine that fails to does not keep the others."""
        for slot in self._slots.loaded():
            self._loader.evict(slot, "the end")
        self._loader.tidy()

    def loaded(self) -> tuple[tuple[Layer, str], ...]:
        """What is loaded now, least recently used first."""
        return tuple((slot.layer, slot.name) for slot in self._slots.loaded())

    def get(self, layer: Layer, language: str | None = None) -> Any:
        return self.named(layer, self.name(layer, language))

    def named(self, layer: Layer, name: str) -> Any:
        with self.using(layer, name) as engine:
            return engine

    def _taken(self, layer: Layer, name: str) -> Slot:
        slot = self._slots.of(layer, name)
        if self._slots.take(slot):
            return slot
        try:
            self._loader.bring(slot)
        except BaseException:
            self._slots.moved(slot, ready=False)
            raise
        self._slots.moved(slot, ready=True, held=True)
        return slot

    def _chosen(self, languages: Sequence[str]) -> list[tuple[Layer, str]]:
        """Layer by layer, each engine once."""
        return list(dict.fromkeys((layer, self.name(layer, each)) for layer in Layer for each in (None, *languages)))

    def _capacity_mb(self, card: Card) -> int:
        """What our engines may have of the card, now that others hold what they hold."""
        return min(card.total_mb, card.free_mb() + sum(tenant.mb for tenant in self._loader.tenants()))

    def _has_room(self, slot: Slot) -> bool:
        if self._card is None or not self._loader.counts(slot) or slot.ready:
            return True
        return slot.mb + MARGIN_MB <= min(self._loader.room_mb(), self._card.free_mb())

    def _stays(self, slot: Slot, languages: Sequence[str]) -> bool:
        """Whether it would not have to make way in every turn, or make others."""
        if not self._loader.counts(slot) or slot.layer not in (Layer.VIDEO, Layer.UPSCALE):
            return True
        return all(self.along(slot.layer, language, slot.name) for language in languages)

    def _check_size(self, slot: Slot) -> None:
        if self._card is not None and self._loader.counts(slot) and slot.mb + MARGIN_MB > self._card.total_mb:
            needs = f"needs {slot.mb:,} MiB and {MARGIN_MB} to spare, {self._card.name} has {self._card.total_mb:,}"
            raise ConfigurationError(
                f"the {slot.layer} engine {slot.name} {needs}: `smarttalker models plan` says more"
            )
