"""Engines as a turn sees them: lent, called, silent, cancelled, and out of memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from core.errors import (
    LAYER_ERRORS,
    Cancelled,
    ConfigurationError,
    LayerError,
    LLMError,
    ModelMissing,
    NotUnderstood,
    StorageError,
    TTSError,
)
from core.kinds import Layer
from worker import beats, ticking
from worker.beats import Beats
from worker.engines.base import Needs
from worker.gpu import EngineSet
from worker.interrupting import interrupting
from worker.lending import Lender, Pulse

BEAT_S = 0.05
LONG_S, SHORT_S = 0.3, 0.15


class Engine:
    """Silent while it loads, for `load_s`; then as long as it is told to."""

    name = "model"

    def __init__(self, patience_s: float = 0.0, load_s: float = 0.0) -> None:
        self.needs = Needs(patience_s=patience_s)
        self.load_s = load_s
        self.fails: list[Exception] = []
        self.unload_s = 0.0
        self.freed = threading.Event()

    def load(self) -> None:
        self.freed.wait(self.load_s)
        if self.fails:
            raise self.fails.pop(0)

    def unload(self) -> None:
        time.sleep(self.unload_s)

    def interrupt(self) -> None:
        self.freed.set()

    def says(self, *pieces: Any) -> Iterator[str]:
        """Texts; silences, in seconds; errors."""
        for piece in pieces:
            if isinstance(piece, Exception):
                raise piece
            if isinstance(piece, float):
                if self.freed.wait(piece):
                    raise ConnectionError
            else:
                yield piece


class Turn:
    """A lender of two engines (the language model's and the voice's) with what it reported."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.voice = engine, Engine()
        self.reports: list[tuple[float, str]] = []
        self.stop = threading.Event()
        given = {Layer.LLM: engine, Layer.TTS: self.voice}
        self.set = EngineSet(lambda layer, language: "model", make=lambda layer, name, place: given[layer])
        self.lender = Lender(self.set, self._report, self._check)

    def _report(self, kind: str, **data: Any) -> None:
        self.reports.append((time.monotonic(), kind))

    def _check(self) -> None:
        if self.stop.is_set():
            raise Cancelled

    @property
    def alive(self) -> int:
        return sum(kind == "alive" for _, kind in self.reports)

    def pieces(self, *said: Any) -> list[str]:
        with self.lender.lent(Layer.LLM, "model") as engine:
            return list(self.lender.pieces(Layer.LLM, engine.says(*said), engine))

    def call(self, action: Callable[[Any], Any]) -> Any:
        return self.lender.call(Layer.LLM, "model", action)

    def say(self, way: str, *said: Any) -> list[str]:
        """By `call`, else by `pieces`."""
        if way == "call":
            return list(self.call(lambda engine: list(engine.says(*said))))
        return self.pieces(*said)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """And no thread stays."""
    monkeypatch.setattr(beats, "BEAT_S", BEAT_S)
    monkeypatch.setattr(ticking, "TICK_S", BEAT_S / 2)
    before = set(threading.enumerate())
    yield
    assert {thread for thread in threading.enumerate() if thread.name != "clock"} <= before


# ---- signs of life


def test_no_sign_comes_before_silence_is_allowed_nor_after_it_ended() -> None:
    told: list[float] = []
    with Beats(lambda kind, **data: told.append(time.monotonic())) as given:
        time.sleep(3 * BEAT_S)
        assert told == []
        given.allow(SHORT_S)
        end = time.monotonic() + SHORT_S
        time.sleep(LONG_S)
        assert told
        assert max(told) <= end + BEAT_S
        count = len(told)
        given.allow(SHORT_S)
        time.sleep(3 * BEAT_S)
        assert len(told) > count
        given.allow(0.0)
        count = len(told)
        time.sleep(3 * BEAT_S)
        assert len(told) <= count + 1
    time.sleep(3 * BEAT_S)
    assert len(told) <= count + 1


@pytest.mark.parametrize(
    ("engine", "said", "least", "most"),
    [
        (Engine(), ("a", "b"), 0, 0),
        (Engine(load_s=LONG_S), ("a",), 2, 6),
        (Engine(), (LONG_S, "a", LONG_S, "b"), 0, 0),
        (Engine(patience_s=60), (LONG_S, "a"), 2, 6),
        (Engine(patience_s=60), (LONG_S, "a", LONG_S, "b"), 4, 12),
        (Engine(patience_s=SHORT_S), (2 * LONG_S, "a"), 1, 3),
    ],
    ids=["quick", "loading", "silent without patience", "before its first word", "between words", "beyond patience"],
)
@pytest.mark.parametrize("way", ["pieces", "call"])
@pytest.mark.alone
def test_an_engine_is_alive_while_it_is_rightly_silent(
    engine: Engine, said: tuple[Any, ...], least: int, most: int, way: str
) -> None:
    turn = Turn(engine)
    assert turn.say(way, *said) == [each for each in said if isinstance(each, str)]
    if way == "call":  # all of it is one silence
        least = min(least, 2)
    assert least <= turn.alive <= most


def test_whoever_uses_the_pieces_slowly_is_no_sign_of_life() -> None:
    turn = Turn(Engine(patience_s=60))
    with turn.lender.lent(Layer.LLM, "model") as engine:
        for _ in turn.lender.pieces(Layer.LLM, engine.says("a", "b"), engine):
            before = turn.alive
            time.sleep(LONG_S)
            assert turn.alive <= before + 1


@pytest.mark.parametrize(("patience_s", "least", "most"), [(0.0, 0, 0), (60.0, 2, 6), (SHORT_S, 1, 3)])
def test_who_is_asked_may_think_about_it(patience_s: float, least: int, most: int) -> None:
    """Whether it can draw an avatar: its picture is looked at first."""
    turn = Turn(Engine())
    assert turn.lender.asked(Layer.LLM, "model", lambda engine: time.sleep(LONG_S), patience_s) is None
    assert least <= turn.alive <= most


def test_making_room_is_silent_for_good_reason() -> None:
    turn = Turn(Engine())
    with turn.lender.lent(Layer.TTS, "model"):
        """Loaded, and idle from here on."""
    turn.voice.unload_s = LONG_S
    turn.lender.make_room(Layer.LLM, "model")
    assert turn.alive >= 2
    assert turn.set.loaded() == ()


def test_so_it_is_in_the_middle_of_a_call() -> None:
    turn, fails = Turn(Engine()), [MemoryError()]
    with turn.lender.lent(Layer.TTS, "model"):
        """As above."""
    turn.voice.unload_s = LONG_S
    assert turn.call(lambda engine: list(engine.says(fails.pop() if fails else "done"))) == ["done"]
    assert turn.alive >= 2
    assert turn.set.loaded() == ((Layer.LLM, "model"),)


class Watched(Engine):
    """Tells after every silence what share of its pieces is done."""

    def __init__(self, patience_s: float) -> None:
        super().__init__(patience_s)
        self.watch = self.unwatched

    def unwatched(self, share: float) -> None:
        """What nobody asked for."""

    def says(self, *pieces: Any) -> Iterator[str]:
        for number, piece in enumerate(pieces, 1):
            yield from super().says(piece)
            self.watch(number / len(pieces))


def test_what_an_engine_tells_of_its_work_is_a_sign_of_life() -> None:
    engine, shares = Watched(SHORT_S), []
    turn = Turn(engine)
    with turn.lender.lent(Layer.LLM, "model"):
        said = engine.says(*[SHORT_S / 2] * 10, "a")
        assert list(turn.lender.pieces(Layer.LLM, said, engine, shares.append)) == ["a"]
    assert turn.alive >= 6, "much longer than its patience"
    assert shares == pytest.approx([number / 11 for number in range(1, 12)])
    assert engine.watch == engine.unwatched


@pytest.mark.parametrize("error", [LLMError("too slow"), Cancelled()], ids=repr)
def test_whoever_watches_may_end_the_work(error: Exception) -> None:
    engine = Watched(60.0)
    turn = Turn(engine)

    def watch(share: float) -> None:
        if isinstance(error, Cancelled):
            turn.stop.set()
        else:
            raise error

    with turn.lender.lent(Layer.LLM, "model"), pytest.raises(type(error)):
        list(turn.lender.pieces(Layer.LLM, engine.says(0.0, 0.0, 60.0), engine, watch))
    assert engine.watch == engine.unwatched


def test_a_pulse_is_a_sign_of_life_from_inside_the_work() -> None:
    engine, pulse = Engine(patience_s=SHORT_S), Pulse()
    turn = Turn(engine)

    def reads() -> Iterator[str]:
        for _ in range(10):
            time.sleep(SHORT_S / 2)
            pulse()
        yield "a"

    pulse()
    with turn.lender.lent(Layer.LLM, "model"):
        assert list(turn.lender.pieces(Layer.LLM, reads(), engine, pulse=pulse)) == ["a"]
    assert turn.alive >= 6


# ---- errors


@pytest.mark.parametrize(
    ("error", "becomes", "exhausted"),
    [
        (ValueError("secret"), LLMError, False),
        (RuntimeError("CUDA out of memory"), LLMError, True),
        (MemoryError(), LLMError, True),
        (ModelMissing("fetch it"), LLMError, False),
        (ConfigurationError("set it"), LLMError, False),
        (LLMError("away"), LLMError, False),
        (LLMError("full", exhausted=True), LLMError, True),
        (TTSError("another layer's"), TTSError, False),
        (StorageError("full"), StorageError, None),
        (NotUnderstood(), NotUnderstood, False),
    ],
    ids=repr,
)
@pytest.mark.parametrize("where", ["load", "pieces", "call"])
def test_what_goes_wrong_is_the_layers_error(
    error: Exception, becomes: type[Exception], exhausted: bool | None, where: str
) -> None:
    turn = Turn(Engine())
    if where == "load":
        turn.engine.fails = [error, error]
    with pytest.raises(becomes) as raised:
        turn.say(where, error)
    assert exhausted is None or (isinstance(raised.value, LayerError) and raised.value.exhausted is exhausted)
    assert "secret" not in str(raised.value)


def test_every_layer_has_its_error() -> None:
    for layer in Layer:
        engines = EngineSet(lambda *_: "model", make=lambda *_: Engine())
        lender = Lender(engines, lambda kind, **data: None, lambda: None)
        with pytest.raises(LAYER_ERRORS[layer]):
            lender.call(layer, "model", lambda engine: list(engine.says(OSError())))


def test_out_of_memory_is_called_once_more() -> None:
    turn, times = Turn(Engine()), iter([True, True, False])

    def act(engine: Engine) -> str:
        if next(times):
            raise MemoryError
        return "done"

    with pytest.raises(LLMError) as raised:
        turn.call(act)
    assert raised.value.exhausted
    assert turn.call(act) == "done"


# ---- cancel


@pytest.mark.parametrize("error", [None, LLMError("cut off"), OSError(), StorageError()], ids=repr)
@pytest.mark.parametrize("where", ["load", "pieces", "call"])
def test_after_a_cancel_everything_is_cancelled(where: str, error: Exception | None) -> None:
    turn = Turn(Engine())
    turn.stop.set()
    if where == "load" and error:
        turn.engine.fails = [error]
    said = ("a",) if error is None else (error,)
    with pytest.raises(Cancelled):
        turn.say(where, *said)


@pytest.mark.parametrize("where", ["load", "pieces", "call"])
def test_an_engine_that_waits_is_interrupted(where: str) -> None:
    turn = Turn(Engine(load_s=60 if where == "load" else 0, patience_s=120))
    threading.Timer(0.05, turn.stop.set).start()
    began = time.monotonic()
    with interrupting(turn.stop, turn.set.interrupt), pytest.raises(Cancelled):
        turn.say(where, 60.0)
    assert time.monotonic() - began < 1
    assert not turn.voice.freed.is_set(), "it did nothing"


def test_what_was_not_cancelled_is_not_interrupted() -> None:
    turn = Turn(Engine(patience_s=60))
    with interrupting(turn.stop, turn.set.interrupt):
        assert turn.pieces("a", SHORT_S, "b") == ["a", "b"]
    turn.stop.set()
    time.sleep(3 * BEAT_S)
    assert not turn.engine.freed.is_set()


def test_an_engine_that_can_not_be_interrupted_is_asked_again_and_harms_nothing() -> None:
    stop, times = threading.Event(), []
    stop.set()

    def refuse() -> None:
        times.append(None)
        raise OSError

    with interrupting(stop, refuse):
        time.sleep(5 * BEAT_S)
    assert len(times) >= 2
