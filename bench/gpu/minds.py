"""`ollama`: the model that the settings name, on the server that they name."""

from __future__ import annotations

from itertools import cycle

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

QUESTIONS = (
    "When are you open, and what should I bring along?",
    "How much is a visit to the dentist?",
    "Do you have an eye doctor, and on which days?",
    "Which blood tests can I do without an appointment?",
    "Where can I park my car?",
    "Do you take my insurance, and what is covered?",
    "My son is two years old, who can see him tomorrow?",
)
"""A server keeps what it has read of a prompt: each is asked once in a turn, so that its notes are read anew, as they
are in a conversation."""
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
    questions = cycle(QUESTIONS)
    calls = {
        "sentence": lambda: _answer(engine, next(questions), whole=False),
        "answer": lambda: _answer(engine, next(questions), whole=True),
    }
    return tried(engine, calls, OfServer(engine))


def _answer(engine: Ollama, question: str, *, whole: bool) -> str:
    persona = Catalogue(HOME).avatar(_PERSONA).persona
    pieces = engine.answer([Message("user", question)], persona=persona, language="en", tone=Tone.NEUTRAL)
    with closed(pieces):
        first = next(pieces)
        return first + "".join(pieces) if whole else first
