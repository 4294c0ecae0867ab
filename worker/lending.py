"""Engines lent to one turn: loaded when asked for, and given signs of life while they are rightly silent."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, TypeVar

from core.catalogue import Voice
from core.errors import LAYER_ERRORS, ConfigurationError, LayerError
from core.kinds import Layer
from worker.beats import Beats
from worker.costs import Costs
from worker.engines import registry
from worker.engines.base import Needs
from worker.engines.video.base import Watch
from worker.gpu import EngineSet
from worker.guard import closed, failing_as
from worker.job import Report
from worker.voicing.choosing import Choosing

T = TypeVar("T")

LOADING_S = 300.0
"""A model of ten gigabytes from a slow disk takes minutes, not longer; so does waiting for a card's memory."""


class Pulse:
    """Called, it is a sign of life from inside an engine's work: its patience begins anew."""

    def __init__(self) -> None:
        self.beat: Callable[[], None] = _nothing

    def __call__(self) -> None:
        self.beat()


class Lender:
    """The engines as a turn sees them. What goes wrong in one is its layer's error; once the turn is cancelled it is
    Cancelled, whatever it was: an engine that was interrupted fails in its own way."""

    def __init__(
        self, engines: EngineSet, report: Report, check: Callable[[], None], voice: Voice | None = None
    ) -> None:
        """check: raises Cancelled. voice: the one that the answer is to be spoken in; None: any."""
        self._engines = engines
        self._report = report
        self._check = check
        self._voice = voice
        self._choosing = Choosing(lambda language: engines.names(Layer.TTS, language), self._needs)

    def name(self, layer: Layer, language: str | None) -> str:
        return self._engines.name(layer, language)

    def names(self, layer: Layer, language: str | None) -> list[str]:
        """The chosen engine, and those that stand in for it."""
        return list(self._engines.names(layer, language))

    def voices(self, language: str) -> list[str]:
        """The engines that may speak a language in the turn's voice, best first; where none may, the settings' own:
        it says why."""
        return self._choosing.fitting(language, self._voice) or [self.name(Layer.TTS, language)]

    def speaks(self, language: str) -> bool:
        """Whether any engine may speak a language in the turn's voice."""
        return bool(self._choosing.fitting(language, self._voice))

    def knows(self, name: str, language: str) -> bool:
        """Whether an engine that speaks knows a language."""
        return self._choosing.knows(name, language)

    def along(self, layer: Layer, language: str | None, name: str | None = None) -> bool:
        """Whether the layer's engine, or the one named, may work while the answer is still being thought of and
        spoken."""
        return self._engines.along(layer, language, name)

    @property
    def runs_on(self) -> str:
        """The card's name, or "cpu", and whether networks are compiled for it."""
        return f"{self._engines.runs_on}, compiled" if self._engines.place.compile else self._engines.runs_on

    def is_loaded(self, layer: Layer, name: str) -> bool:
        return self._engines.is_loaded(layer, name)

    def load_s(self, layer: Layer, name: str) -> float | None:
        """Seconds that the engine's last load in this process took; None where there was none."""
        return self._engines.load_s(layer, name)

    def asked(self, layer: Layer, name: str, question: Callable[[Any], T], patience_s: float = 0.0) -> T:
        """What an engine tells of itself, loaded or not. patience_s: the longest that it may think about it. Raises the
        layer's error."""
        with failing_as(LAYER_ERRORS[layer], name), Beats(self._report) as beats:
            beats.allow(patience_s)
            return question(self._engines.engine(layer, name))

    def is_here(self, layer: Layer, name: str) -> bool:
        """Whether what the engine stands on is on this machine."""
        try:
            registry.look(layer, self._engines.engine(layer, name))
        except ConfigurationError:
            return False
        except LayerError:
            pass
        return True

    def costs(self, layer: Layer, name: str) -> Costs:
        """Measures what an engine's work takes."""
        return Costs(self._engines, layer, name)

    def make_room(self, layer: Layer, name: str) -> None:
        """Sends away whatever nobody uses, so that the engine has more memory than before."""
        with self._failing(layer, name), Beats(self._report) as beats:
            beats.allow(LOADING_S)
            self._engines.make_room(layer, name)

    @contextmanager
    def lent(self, layer: Layer, name: str) -> Iterator[Any]:
        """The loaded engine until the block ends. Raises its layer's error."""
        self._engines.resting.check(layer, name)
        with ExitStack() as stack:
            with self._failing(layer, name), Beats(self._report) as beats:
                beats.allow(LOADING_S)
                engine = stack.enter_context(self._engines.using(layer, name))
            self._check()
            yield engine

    def call(self, layer: Layer, name: str, action: Callable[[Any], T]) -> T:
        """What the action returns, done again once where memory did not suffice. Raises the layer's error, and the
        action's own errors of ours."""
        self._engines.resting.check(layer, name)
        with self._failing(layer, name), Beats(self._report) as beats:

            def act(engine: Any) -> T:
                self._check()
                beats.allow(engine.needs.patience_s)
                try:
                    with failing_as(LAYER_ERRORS[layer], name):
                        return action(engine)
                finally:
                    beats.allow(LOADING_S)  # where memory did not suffice, others leave now

            beats.allow(LOADING_S)
            return self._engines.run(layer, name, act)

    def step(self, name: str, error: LayerError, then: str | None) -> None:
        """Reports that the engine failed, and what the answer goes on with."""
        self._report("step", layer=error.layer, engine=name, code=error.cause, then=then, detail=str(error))

    def pieces(
        self, layer: Layer, source: Iterator[T], engine: Any, watch: Watch | None = None, pulse: Pulse | None = None
    ) -> Iterator[T]:
        """What an engine yields; silent between two pieces for its patience at most. Errors as in `call`.

        watch: told the share that is done by an engine that tells it; what it raises ends the engine's work. pulse:
        made to be this engine's.
        """
        with self._failing(layer, engine.name) as sign, closed(source), Beats(self._report) as beats:

            def alive() -> None:
                sign()
                beats.allow(engine.needs.patience_s)

            if pulse is not None:
                pulse.beat = alive
            yield from self._watched(source, engine, alive, beats, watch)

    def _watched(
        self, source: Iterator[T], engine: Any, alive: Callable[[], None], beats: Beats, watch: Watch | None
    ) -> Iterator[T]:
        """The pieces, with an eye on the engine's work until the last."""

        def told(share: float) -> None:
            alive()
            self._check()
            if watch is not None:
                watch(share)

        with _watching(engine, told):
            while True:
                alive()
                try:
                    piece = next(source)
                except StopIteration:
                    return
                beats.allow(0.0)
                self._check()
                yield piece

    def _needs(self, name: str) -> Needs:
        """Of an engine that speaks; one that is not to be had says so when it is asked for."""
        try:
            return self._engines.needs(Layer.TTS, name)
        except ConfigurationError:
            return Needs()

    @contextmanager
    def _failing(self, layer: Layer, name: str) -> Iterator[Callable[[], None]]:
        """Gives what is called when the engine has given a sign of life."""
        since = time.monotonic()

        def sign() -> None:
            nonlocal since
            since = time.monotonic()

        try:
            with failing_as(LAYER_ERRORS[layer], name):
                yield sign
        except Exception as error:
            self._check()
            self._engines.resting.failed(layer, name, error, time.monotonic() - since)
            raise


def _nothing() -> None:
    """Nobody's sign of life."""


@contextmanager
def _watching(engine: Any, watch: Watch) -> Iterator[None]:
    """Where the engine tells how far it is, it tells `watch` until the block ends."""
    before = getattr(engine, "watch", None)
    if before is None:
        yield
        return
    engine.watch = watch
    try:
        yield
    finally:
        engine.watch = before
