"""`ollama`: the model that the settings name, on the server that they name."""

from __future__ import annotations

from bench.figures import Figures
from bench.gpu.trial import tried
from core.catalogue import Catalogue
from core.errors import LLMError, ModelMissing, SurroundingsError
from core.kinds import Tone
from core.settings import HOME
from worker.engines.base import Place
from worker.engines.llm.base import Message
from worker.engines.llm.ollama import Ollama
from worker.guard import closed

QUESTION = "When are you open, and what should I bring along?"
_PERSONA = "layla"


class OfServer:
    """What the server says that the model takes of the card."""

    def __init__(self, engine: Ollama) -> None:
        self._engine = engine

    def begin(self) -> None:
        """The server counts by itself."""

    def peak(self) -> Figures:
        return {"card_peak_mib": float(self._engine.memory_mb())}

    def left(self) -> Figures:
        return {}


def measure(place: Place) -> Figures:
    """Seconds to the first sentence and to the whole answer. Raises SurroundingsError where the server or the model
    is not there."""
    engine = Ollama.at(place)
    try:
        engine.look()
    except (LLMError, ModelMissing) as error:
        raise SurroundingsError(str(error)) from error
    calls = {"sentence": lambda: _answer(engine, whole=False), "answer": lambda: _answer(engine, whole=True)}
    return tried(engine, calls, OfServer(engine))


def _answer(engine: Ollama, *, whole: bool) -> str:
    persona = Catalogue(HOME).avatar(_PERSONA).persona
    pieces = engine.answer([Message("user", QUESTION)], persona=persona, language="en", tone=Tone.NEUTRAL)
    with closed(pieces):
        first = next(pieces)
        return first + "".join(pieces) if whole else first
