"""What every engine of the layer llm does."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import pytest

from core.catalogue import Answer, Persona
from core.errors import LLMError
from core.kinds import Tone
from simulators.ollama import Request, running
from worker.engines.base import Place
from worker.engines.llm.answers import Answers
from worker.engines.llm.base import LLMEngine, Message
from worker.engines.llm.fake import Fake
from worker.engines.llm.ollama import Ollama

PERSONA = Persona(
    id="baker",
    business={"ar": "مخبز", "en": "A bakery"},
    role={"ar": "أنت خباز.", "en": "You are a baker."},
    greeting={"ar": "أهلًا بك في المخبز.", "en": "Welcome to the bakery."},
    unknown={"ar": "لا أعرف.", "en": "I don't know."},
    answers=(
        Answer(
            id="bread",
            questions={"ar": ("بكم الخبز",), "en": ("how much is the bread",)},
            text={"ar": "الرغيف بريال.", "en": "A loaf is one riyal."},
            topic={"ar": "الخبز", "en": "bread"},
        ),
    ),
)
BARE = Persona("bare", {"en": "x"}, {"en": "x"}, {"en": "Hello."}, {"en": "I don't know."})


def two_sentences(request: Request) -> str:
    return "يسعدني ذلك. الرغيف بريال." if "ال" in request.user else "With pleasure. A loaf is one riyal."


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with running() as ollama:
        ollama.always(two_sentences)
        yield ollama.url


@pytest.fixture(params=[Fake, Answers, Ollama], ids=lambda made: str(made.name))
def engine(request: pytest.FixtureRequest) -> Iterator[LLMEngine]:
    placed = request.param is Ollama
    made: LLMEngine = Ollama.at(Place(ollama_url=request.getfixturevalue("server"))) if placed else request.param()
    made.load()
    yield made
    made.unload()


def answer(engine: LLMEngine, *texts: str, persona: Persona = PERSONA, language: str = "en") -> list[str]:
    roles = ("user", "assistant")
    history = [Message(roles[(len(texts) - 1 - place) % 2], text) for place, text in enumerate(texts)]  # type: ignore[arg-type]
    return list(engine.answer(history, persona=persona, language=language, tone=Tone.NEUTRAL))


@pytest.mark.parametrize(
    ("language", "question"),
    [("en", "How much is the bread?"), ("ar", "بكم الخبز؟"), ("en", "hello"), ("ar", "ما عاصمة فرنسا؟"), ("en", "👍")],
)
def test_it_answers_in_pieces_of_plain_text(engine: LLMEngine, language: str, question: str) -> None:
    pieces = answer(engine, question, language=language)
    assert len(pieces) > 1
    assert "".join(pieces).strip()
    assert not any(mark in "".join(pieces) for mark in "*#`{}")


def test_the_same_question_gets_the_same_answer(engine: LLMEngine) -> None:
    assert answer(engine, "bread?") == answer(engine, "bread?")


def test_history_may_be_long(engine: LLMEngine) -> None:
    assert answer(engine, *["How much is the bread?", "A loaf is one riyal."] * 50, "Thank you")


def test_a_persona_may_know_nothing(engine: LLMEngine) -> None:
    assert "".join(answer(engine, "How much is the bread?", persona=BARE)).strip()
    assert "".join(answer(engine, "بكم الخبز؟", persona=BARE, language="ar")).strip()


@pytest.mark.parametrize("texts", [(), ("",), (" \n",)])
def test_nothing_to_answer(engine: LLMEngine, texts: tuple[str, ...]) -> None:
    if texts and engine.name == "fake":
        assert answer(engine, *texts)
    else:
        with pytest.raises(LLMError):
            answer(engine, *texts)


def test_it_can_be_stopped(engine: LLMEngine) -> None:
    pieces = engine.answer([Message("user", "bread")], persona=PERSONA, language="en", tone=Tone.CALM)
    assert len(list(islice(pieces, 1))) == 1
    pieces.close()  # type: ignore[attr-defined]
    assert answer(engine, "bread?")


def test_it_can_be_unloaded_and_loaded_again(engine: LLMEngine) -> None:
    for _ in range(2):
        engine.unload()
        engine.unload()
        engine.load()
        engine.load()
        assert answer(engine, "bread?")


def test_what_it_needs_can_be_asked_at_any_time(engine: LLMEngine) -> None:
    assert engine.needs.gpu_mb >= 0
    engine.unload()
    assert engine.needs.licence
