"""The engine `ollama` against a server of Ollama's manners, over HTTP."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Any

import pytest
from fastapi import FastAPI
from structlog.testing import capture_logs

from core.errors import AnswerCut, ConfigurationError, LLMError, ModelMissing
from core.kinds import Tone
from core.persona import Persona, read_persona
from core.settings import HOME
from simulators.ollama import Ollama as Double
from simulators.ollama import long_answer, running
from simulators.serving import served
from worker.engines.base import Place
from worker.engines.llm.base import Message
from worker.engines.llm.ollama import Ollama
from worker.engines.llm.ollama.budget import Budget
from worker.engines.llm.ollama.footprint import gpu_mb
from worker.engines.llm.ollama.prompt import Writer
from worker.engines.llm.ollama.server import Waits, base_url, same
from worker.engines.llm.ollama.shaping import MOST_WORDS

MODEL = "qwen2.5:14b"
PERSONAS = {name: read_persona(HOME / "avatars" / name / "persona.toml") for name in ("layla", "omar", "sara")}
QUICK = Waits(
    connect=1.0, brief=2.0, load=3.0, first=1.0, between=0.4, sentence=0.8, unload=0.5, poll=0.02, retries=(0.01, 0.05)
)
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def double() -> Iterator[Double]:
    with running() as server:
        yield server


@pytest.fixture
def server(double: Double) -> Iterator[Double]:
    """With no faults, and nothing to be said but a usual answer."""
    double.calm()
    double.said.clear()
    before = len(double.oddities)
    yield double
    assert double.oddities[before:] == []


@pytest.fixture(scope="module")
def engine(double: Double) -> Iterator[Ollama]:
    """Loaded."""
    made = Ollama(
        Place(ollama_url=double.url), clock=lambda zone: datetime(2026, 11, 23, 8, 5, tzinfo=zone), waits=QUICK
    )
    made.load()
    yield made
    double.calm()
    made.unload()


def asked(
    engine: Ollama, *texts: str, persona: str | Persona = "layla", language: str = "en", tone: Tone = Tone.NEUTRAL
) -> Iterator[str]:
    roles = ("user", "assistant")
    history = [Message(roles[(len(texts) - 1 - place) % 2], text) for place, text in enumerate(texts)]  # type: ignore[arg-type]
    whose = PERSONAS[persona] if isinstance(persona, str) else persona
    return engine.answer(history, persona=whose, language=language, tone=tone)


# what is sent


def test_every_request_says_how_the_model_is_to_run(server: Double, engine: Ollama) -> None:
    assert list(asked(engine, "hello"))
    sent = server.chats[-1]
    assert sent.num_ctx == 8192
    assert sent.json["think"] is False
    assert sent.json["stream"] is True
    assert 200 <= sent.options["num_predict"] <= 600
    assert 0 < sent.options["temperature"] < 0.7
    assert sent.options["seed"] > 0
    assert sent.json["keep_alive"] == "12h"
    assert not sent.json["tools"]


@pytest.mark.parametrize("persona", PERSONAS)
@pytest.mark.parametrize(
    ("language", "question", "tone", "told"),
    [
        ("ar", "ما أوقات العمل؟", Tone.NEUTRAL, ["العربية وحدها", "فصيحة سهلة", "ودودة وطبيعية", "بالكلمات كما تُنطق"]),
        ("ar", "عايز أعرف بتفتحوا امتى", Tone.CALM, ["المصرية", "منزعج", "الاثنين 23 نوفمبر 2026، وغدًا الثلاثاء"]),
        ("ar", "وش أوقات الدوام الحين", Tone.GENTLE, ["الخليجية", "مواساة", "الساعة الآن 8:05 صباحًا"]),
        ("ar", "شو أوقاتكن هلق", Tone.LIVELY, ["الشامية", "متعجّب"]),
        ("ar", "واش كاين شي موعد دابا", Tone.CHEERFUL, ["المغاربية", "مسرور"]),
        ("en", "When are you open?", Tone.NEUTRAL, ["in English only", "in words as they", "Monday 23 November 2026"]),
        ("en", "متى تفتحون؟", Tone.CALM, ["Answer in English only", "understanding"]),
        ("fr", "When are you open?", Tone.GENTLE, ["Answer in French only", "reassuring"]),
        ("xx", "When are you open?", Tone.LIVELY, ["the language with the code xx", "surprised"]),
    ],
)  # fmt: skip
def test_the_prompt(
    server: Double, engine: Ollama, persona: str, language: str, question: str, tone: Tone, told: list[str]
) -> None:
    list(asked(engine, question, persona=persona, language=language, tone=tone))
    system = server.chats[-1].system
    role = PERSONAS[persona].role["ar" if language == "ar" else "en"]
    assert system.startswith(role.strip())
    assert all(part in system for part in told)
    assert PERSONAS[persona].unknown["ar" if language == "ar" else "en"].rstrip(".") in system
    assert not any(mark in system for mark in "{}*#`")
    assert server.chats[-1].user == question


@pytest.mark.parametrize(
    ("hour", "minute", "arabic", "english"),
    [
        (0, 5, "12:05 بعد منتصف الليل", "12:05 am"),
        (9, 0, "9:00 صباحًا", "9:00 am"),
        (12, 30, "12:30 ظهرًا", "12:30 pm"),
        (14, 59, "2:59 ظهرًا", "2:59 pm"),
        (16, 0, "4:00 عصرًا", "4:00 pm"),
        (18, 0, "6:00 مساءً", "6:00 pm"),
        (23, 59, "11:59 مساءً", "11:59 pm"),
    ],
)
def test_the_time_of_day(server: Double, hour: int, minute: int, arabic: str, english: str) -> None:
    engine = Ollama(Place(ollama_url=server.url), clock=lambda zone: datetime(2026, 2, 28, hour, minute, tzinfo=zone))
    for language, time_of_day, date in (
        ("ar", arabic, "السبت 28 فبراير 2026"),
        ("en", english, "Saturday 28 February 2026"),
    ):
        list(asked(engine, "hello", language=language))
        assert time_of_day in server.chats[-1].system
        assert date in server.chats[-1].system
    engine.unload()


def test_a_long_history_is_cut_and_the_last_message_stays(server: Double, engine: Ollama) -> None:
    """The double notes it where messages are longer than the context."""
    texts = [f"{place}: " + "بكم التذكرة إلى جدة يوم الخميس؟ " * 12 for place in range(201)]
    list(asked(engine, *texts, persona="sara", language="ar"))
    sent = server.chats[-1].messages
    assert 4 < len(sent) < 100
    assert sent[-1]["content"].startswith("200: ")
    assert [each["role"] for each in sent[:3]] == ["system", "user", "assistant"]
    assert all(each["content"] in texts for each in sent[1:-1])


def test_a_message_longer_than_the_context_is_cut_itself(server: Double, engine: Ollama) -> None:
    list(asked(engine, "كلمة " * 20_000, persona="sara", language="ar"))
    assert server.chats[-1].user.endswith("كلمة…")
    assert 300 < len(server.chats[-1].user) < 8000


@pytest.mark.parametrize("language", ["ar", "en"])
@pytest.mark.parametrize("persona", PERSONAS)
def test_a_context_too_small_for_the_persona(server: Double, persona: str, language: str) -> None:
    engine = Ollama(Place(ollama_url=server.url, llm_context=1024), waits=QUICK)
    before = len(server.requests)
    with pytest.raises(
        ConfigurationError, match=f"1024 tokens is too small for the persona {persona}: set SMARTTALKER_LLM"
    ):
        list(asked(engine, "hello", persona=persona, language=language))
    assert len(server.requests) == before


@pytest.mark.parametrize("context", [4096, 32_768])
def test_every_context_that_fits_is_kept_to(context: int) -> None:
    with running() as server:
        engine = Ollama(Place(ollama_url=server.url, llm_context=context), waits=QUICK)
        list(asked(engine, *["كم سعر التذكرة إلى جدة؟ " * 20] * 41, persona="sara", language="ar"))
        assert server.chats[-1].num_ctx == context
        engine.unload()
        assert server.oddities == []


def test_an_edited_persona_is_read_again(server: Double, engine: Ollama) -> None:
    list(asked(engine, "hello"))
    list(asked(engine, "hello", persona=replace(PERSONAS["layla"], role={"en": "You are Layla, renamed."})))
    assert server.chats[-1].system.startswith("You are Layla, renamed.")


# what comes back


def test_sentences_come_while_the_model_still_writes(server: Double, engine: Ollama) -> None:
    server.script(["Hello", " there", ".", " How", *[" are"] * 400])
    server.fail("slow", seconds=0.02)
    pieces = asked(engine, "hello")
    assert list(islice(pieces, 1)) == ["Hello there. "]
    assert server.chats[-1].tokens < 100
    pieces.close()  # type: ignore[attr-defined]
    request = server.chats[-1]
    assert request.over.wait(5)
    assert request.aborted
    assert request.tokens < 200


@pytest.mark.parametrize("language", ["ar", "en"])
def test_an_answer_of_four_thousand_words_ends_and_so_does_the_generation(
    server: Double, engine: Ollama, language: str
) -> None:
    server.script(long_answer)
    text = "".join(asked(engine, "احكِ لي قصة" if language == "ar" else "tell me a story", language=language))
    assert MOST_WORDS * 0.8 <= len(text.split()) <= MOST_WORDS
    assert text.rstrip().endswith(".")
    assert server.chats[-1].over.wait(5)
    assert server.chats[-1].tokens < 1000


def test_what_the_model_writes_is_made_speakable(server: Double, engine: Ollama) -> None:
    server.script("<think>hm</think>**أهلًا!** 😀\n- السعر مئة 银行 ريال\n- *يبتسم* تفضل")
    assert "".join(asked(engine, "بكم", language="ar")) == "أهلًا! السعر مئة ريال. تفضل. "


@pytest.mark.parametrize("nothing", ["", " \n ", "😀", "<think>only thoughts</think>", "你好", "---"])
def test_an_empty_answer_is_asked_for_once_more(server: Double, engine: Ollama, nothing: str) -> None:
    server.script(nothing, "Now I know it.")
    assert list(asked(engine, "hello")) == ["Now I know it. "]
    first, second = server.chats[-2:]
    assert first.options["seed"] != second.options["seed"]
    assert first.messages == second.messages
    server.script(nothing, nothing, "Too late.")
    with pytest.raises(LLMError, match="empty answer"):
        list(asked(engine, "hello"))


@pytest.mark.parametrize(
    ("language", "other", "right"),
    [("ar", "Sure, it is one riyal.", "بكل سرور، بريال."), ("en", "بكل سرور.", "With pleasure.")],
)
def test_an_answer_in_another_language_is_asked_for_once_more(
    server: Double, engine: Ollama, language: str, other: str, right: str
) -> None:
    server.script(other, right)
    assert list(asked(engine, "hello", language=language)) == [f"{right} "]
    server.script(other, other)
    assert list(asked(engine, "hello", language=language)) == [f"{other} "]


def test_the_same_question_gets_the_same_seed(server: Double, engine: Ollama) -> None:
    assert list(asked(engine, "hello")) == list(asked(engine, "hello"))


# what goes wrong


@pytest.mark.parametrize(
    ("effect", "more", "match", "exhausted"),
    [
        ("out_of_memory", {}, "does not fit into what memory", True),
        (
            "500",
            {"text": "model requires more system memory (9.0 GiB) than is available (2.1 GiB)"},
            "does not fit",
            True,
        ),
        (
            "500",
            {"text": "llama runner process has terminated: cudaMalloc failed: out of memory"},
            "does not fit",
            True,
        ),
        ("500", {"text": "unable to allocate CUDA0 buffer"}, "does not fit", True),
        ("500", {"text": "memory layout cannot be allocated"}, "does not fit", True),
        ("500", {"text": "boom"}, "failed with 500", False),
        ("400", {"text": "invalid option"}, "failed with 400", False),
        ("timeout_before", {}, "takes too long", False),
        ("slow_start", {"seconds": 3}, "takes too long", False),
        ("hang", {"after": 0}, "takes too long", False),
        ("cut", {"after": 0}, "does not answer|broke off", False),
        ("dropped", {"after": 1}, "broke off", False),
        ("unfinished", {"after": 1}, "broke off", False),
        ("error_line", {"after": 1}, "failed: its log", False),
        ("error_line", {"after": 1, "text": "CUDA error: out of memory"}, "does not fit", True),
        ("bad_line", {"after": 1}, "does not answer as Ollama does", False),
    ],
)
def test_a_failure_before_the_first_sentence(
    server: Double, engine: Ollama, effect: str, more: dict[str, Any], match: str, exhausted: bool
) -> None:
    server.script(*["One two three four five six seven eight. Nine."] * 4)
    for _ in range(len(QUICK.retries) + 1):
        server.fail(effect, **more)
    began = time.monotonic()
    with pytest.raises(LLMError, match=match) as told:
        list(asked(engine, "what is my name, Zebediah?"))
    assert type(told.value) is LLMError
    assert told.value.exhausted is exhausted
    assert time.monotonic() - began < 5
    assert not any(word in str(told.value) for word in ("Zebediah", "Layla", "boom", "invalid option"))
    server.calm()
    server.said.clear()
    assert list(asked(engine, "hello"))


@pytest.mark.parametrize(
    ("effect", "text", "exhausted"),
    [
        ("cut", "", False), ("dropped", "", False), ("unfinished", "", False), ("hang", "", False),
        ("bad_line", "", False), ("error_line", "", False), ("error_line", "out of memory", True),
    ],
)  # fmt: skip
def test_a_failure_after_the_first_sentence_leaves_what_was_whole(
    server: Double, engine: Ollama, effect: str, text: str, exhausted: bool
) -> None:
    server.script(["One is whole.", " Two is whole.", " Three", " is", " not", " whole."])
    server.fail(effect, after=4, text=text)
    pieces: list[str] = []
    with pytest.raises(AnswerCut) as told:
        pieces.extend(iter_into(asked(engine, "hello"), pieces))
    assert pieces == ["One is whole. ", "Two is whole. "]
    assert told.value.code == "llm_cut"
    assert told.value.exhausted is exhausted


def iter_into(source: Iterator[str], kept: list[str]) -> list[str]:
    """Keeps each piece as it comes, so that an error loses none."""
    for piece in source:
        kept.append(piece)
    return []


def test_a_model_that_writes_on_and_on_without_an_end_is_given_up(server: Double) -> None:
    engine = Ollama(Place(ollama_url=server.url), waits=replace(QUICK, first=0.2, sentence=0.2))
    engine.load()
    server.script(["word "] * 200)
    server.fail("slow", seconds=0.05)
    with pytest.raises(LLMError, match="takes too long"):
        list(asked(engine, "hello"))
    engine.unload()


@pytest.mark.parametrize("times", [1, 2])
def test_a_server_that_is_busy_is_asked_again(server: Double, engine: Ollama, times: int) -> None:
    for _ in range(times):
        server.fail("503")
    assert list(asked(engine, "hello"))


def test_a_server_that_stays_busy_is_told(server: Double, engine: Ollama) -> None:
    for _ in range(5):
        server.fail("503")
    with pytest.raises(LLMError, match="too many requests"):
        list(asked(engine, "hello"))


def test_a_model_that_refuses_think_is_asked_without(server: Double) -> None:
    engine = Ollama(Place(ollama_url=server.url), waits=QUICK)
    engine.load()
    server.fail("400", text=f'"{MODEL}" does not support thinking')
    before = len(server.oddities)
    assert list(asked(engine, "hello"))
    assert "think" not in server.chats[-1].json
    assert list(asked(engine, "hello again"))
    assert "think" not in server.chats[-1].json
    del server.oddities[before:]
    engine.unload()


def test_a_server_that_is_away(server: Double, engine: Ollama) -> None:
    began = time.monotonic()
    with server.away(), pytest.raises(LLMError, match=r"does not answer at http://127.*`ollama serve`.*OLLAMA_URL"):
        list(asked(engine, "hello"))
    assert time.monotonic() - began < 4
    assert list(asked(engine, "hello"))


@pytest.mark.parametrize("do", ["look", "load"])
def test_nothing_listens_there(do: str) -> None:
    engine = Ollama(Place(ollama_url=NOWHERE), waits=QUICK)
    with pytest.raises(LLMError, match=r"does not answer at http://127\.0\.0\.1:9"):
        getattr(engine, do)()
    engine.unload()
    assert engine.memory_mb() == 0


def test_something_else_listens_there() -> None:
    with served(FastAPI()) as url:
        engine = Ollama(Place(ollama_url=url), waits=QUICK)
        with pytest.raises(LLMError, match="does not answer as Ollama does"):
            engine.look()


@pytest.mark.parametrize("do", ["look", "load", "answer"])
def test_a_missing_model_names_the_commands_that_fetch_it(server: Double, do: str) -> None:
    engine = Ollama(Place(ollama_url=server.url, llm_model="qwen3:4b-instruct"), waits=QUICK)
    with pytest.raises(
        ModelMissing, match=r"smarttalker models fetch qwen3-4b-instruct.*ollama pull qwen3:4b-instruct"
    ):
        list(asked(engine, "hello")) if do == "answer" else getattr(engine, do)()
    engine.unload()


def test_a_missing_model_that_no_manifest_has_names_ollamas_command_alone(server: Double) -> None:
    with pytest.raises(ModelMissing) as caught:
        Ollama(Place(ollama_url=server.url, llm_model="qwen3:0.6b"), waits=QUICK).look()
    assert str(caught.value).endswith("has no model qwen3:0.6b: fetch it with `ollama pull qwen3:0.6b`")


def test_a_model_that_is_removed_meanwhile() -> None:
    with running() as server:
        engine = Ollama(Place(ollama_url=server.url), waits=QUICK)
        engine.load()
        server.fail("404", text=f"model '{MODEL}' not found")
        with pytest.raises(ModelMissing, match="ollama pull"):
            list(asked(engine, "hello"))
        engine.unload()


# loading and leaving


def test_it_loads_once_and_leaves_for_good() -> None:
    with running(unload_s=0.1, load_s=0.05) as server:
        engine = Ollama(Place(ollama_url=server.url), waits=QUICK)
        assert engine.memory_mb() == 0
        engine.load()
        engine.load()
        assert server.card.loads == 1
        assert abs(engine.memory_mb() - engine.needs.gpu_mb) < 0.05 * engine.needs.gpu_mb
        assert list(asked(engine, "hello"))
        assert server.card.loads == 1
        engine.unload()
        engine.unload()
        assert not server.requests[-1].json
        assert server.requests[-1].method == "ps"
        assert engine.memory_mb() == 0
        engine.load()
        assert server.card.loads == 2
        engine.unload()
        assert server.oddities == []


def test_a_model_that_does_not_leave_is_told() -> None:
    with running(unload_s=60) as server:
        engine = Ollama(Place(ollama_url=server.url), waits=QUICK)
        engine.load()
        with pytest.raises(LLMError, match="stays loaded"):
            engine.unload()


@pytest.mark.parametrize(("card_mb", "told"), [(24_564, False), (8_192, True)])
def test_a_model_that_lies_beside_the_card_in_part_is_told(card_mb: int, told: bool) -> None:
    with running(models=[MODEL], card_mb=card_mb, system_mb=32_000) as ollama, capture_logs() as logs:
        engine = Ollama(Place(ollama_url=ollama.url, llm_model=MODEL))
        engine.load()
        engine.unload()
    spilled = [log for log in logs if log["event"] == "ollama_model_spilled"]
    assert [log["on_card_mb"] <= card_mb and log["beside_mb"] > 1000 for log in spilled] == [True] * told


def test_only_what_was_asked_for_is_unloaded(server: Double) -> None:
    others = Ollama(Place(ollama_url=server.url), waits=QUICK)
    others.load()
    before = len(server.requests)
    Ollama(Place(ollama_url=server.url), waits=QUICK).unload()
    assert len(server.requests) == before
    assert others.look()
    others.unload()


def test_a_card_without_room() -> None:
    with running(card_mb=8188) as server:
        engine = Ollama(Place(ollama_url=server.url), waits=QUICK)
        with pytest.raises(LLMError, match="does not fit") as told:
            engine.load()
        assert told.value.exhausted
        assert told.value.cause == "out_of_memory"
        engine.unload()


def test_a_server_that_goes_before_it_is_told_to_unload() -> None:
    with running() as server:
        engine = Ollama(Place(ollama_url=server.url), waits=QUICK)
        engine.load()
        with server.away():
            engine.unload()


def test_it_says_what_it_stands_on(server: Double, engine: Ollama) -> None:
    loads = server.card.loads
    assert engine.look() == f"{MODEL} on Ollama 0.32.15"
    assert server.card.loads == loads


def test_what_it_needs(server: Double) -> None:
    here, elsewhere = Place(ollama_url=server.url), Place(ollama_url="http://box.example:11434")
    assert Ollama.at(here).needs.gpu_mb == pytest.approx(10.5 * 1024, rel=0.02)
    assert Ollama.at(elsewhere).needs.gpu_mb == 0
    assert Ollama.at(here).needs.patience_s >= 300
    assert Ollama.at(here).needs.languages == ()


@pytest.mark.parametrize(
    ("model", "context", "least", "most"),
    [
        ("qwen2.5:14b", 8192, 10_400, 11_000),
        ("qwen2.5:14b", 32_768, 14_900, 15_600),
        ("qwen2.5:14b", 4096, 9_700, 10_200),
        ("qwen2.5:7b", 8192, 5_000, 6_500),
        ("gemma3:12b", 8192, 8_500, 12_000),
        ("hf.co/someone/Model-8B-GGUF:Q8_0", 8192, 9_500, 12_500),
        ("mystery:latest", 8192, 5_500, 8_500),
    ],
)
def test_footprints(model: str, context: int, least: int, most: int) -> None:
    assert least <= gpu_mb(model, context) <= most


@pytest.mark.parametrize(
    ("name", "other", "are"),
    [
        ("qwen2.5:14b", "qwen2.5:14b", True), ("qwen2.5", "qwen2.5:latest", True), ("Qwen2.5:14B", "qwen2.5:14b", True),
        ("registry.ollama.ai/library/qwen2.5:14b", "qwen2.5:14b", True), ("library/qwen2.5", "qwen2.5", True),
        ("hf.co/a/b:Q4", "hf.co/a/b:Q4", True), ("qwen2.5:14b", "qwen2.5:7b", False), ("qwen2.5", "qwen2.5:14b", False),
    ],
)  # fmt: skip
def test_names_of_one_model(name: str, other: str, are: bool) -> None:
    assert same(name, other) is are


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("http://127.0.0.1:11434", "http://127.0.0.1:11434"), ("http://127.0.0.1:11434/", "http://127.0.0.1:11434"),
        ("box", "http://box:11434"), ("box:8000", "http://box:8000"), ("https://box.example/ollama/", "https://box.example/ollama"),
    ],
)  # fmt: skip
def test_addresses(url: str, base: str) -> None:
    assert base_url(url) == base


def test_a_password_in_the_address_is_not_told() -> None:
    with pytest.raises(LLMError, match=r"at http://127\.0\.0\.1:9:") as told:
        Ollama(Place(ollama_url="http://someone:s3cret@127.0.0.1:9"), waits=QUICK).look()
    assert "s3cret" not in str(told.value)


@pytest.mark.parametrize("persona", PERSONAS.values(), ids=lambda persona: persona.id)
def test_prompts_are_written_at_once(persona: Persona) -> None:
    """Beside a model's first token it must not be felt: preparing a persona, and then each prompt."""
    history = [Message("user", "بكم التذكرة إلى جدة يوم الجمعة؟")]
    writer = Writer(persona, lambda zone: datetime(2026, 1, 1, tzinfo=zone))
    began = time.process_time()
    for _ in range(5):
        writer.prompt(history, "ar", Tone.NEUTRAL, Budget(8192))
    assert (time.process_time() - began) / 5 < 0.2


# interrupted from another thread


@pytest.mark.parametrize(
    ("effect", "more", "said"),
    [
        ("timeout_before", {}, []),
        ("slow_start", {"seconds": 60}, []),
        ("hang", {"after": 12}, ["One sentence. "]),
        ("slow", {"seconds": 0.3}, None),
    ],
)
def test_an_answer_that_is_interrupted_ends_at_once(
    server: Double, effect: str, more: dict[str, Any], said: list[str] | None
) -> None:
    """It is not asked for again, the server stops, and the next question is answered as if nothing had been."""
    patient = Ollama(Place(ollama_url=server.url))
    patient.load()
    server.fail(effect, **more)
    server.script("One sentence. Another sentence that goes on and on.")
    before, interrupted, heard = len(server.chats), [], []

    def interrupt() -> None:
        while len(server.chats) == before:
            time.sleep(0.02)
        time.sleep(0.2)
        interrupted.append(time.monotonic())
        patient.interrupt()

    threading.Thread(target=interrupt, daemon=True).start()
    with pytest.raises(LLMError):
        heard += asked(patient, "hello")
    assert time.monotonic() - interrupted[0] < 1
    assert said is None or heard in ([], said)
    assert len(server.chats) == before + 1
    assert server.chats[-1].over.wait(2)
    assert server.chats[-1].aborted
    server.said.clear()
    server.script("Here I am.")
    assert list(asked(patient, "hello")) == ["Here I am. "]
    patient.unload()


def test_a_load_that_is_interrupted_can_be_begun_again(server: Double) -> None:
    patient = Ollama(Place(ollama_url=server.url))
    server.fail("timeout_before")
    threading.Timer(0.2, patient.interrupt).start()
    began = time.monotonic()
    with pytest.raises(LLMError):
        patient.load()
    patient.unload()
    assert time.monotonic() - began < 1
    server.script("Here I am.")
    assert list(asked(patient, "hello")) == ["Here I am. "]
    patient.unload()


def test_who_waits_for_a_server_that_starts_can_be_interrupted() -> None:
    with running() as starting:
        patient = Ollama(Place(ollama_url=starting.url), waits=replace(QUICK, retries=(60.0,)))
        patient.load()
        starting.fail("503")
        threading.Timer(0.2, patient.interrupt).start()
        began = time.monotonic()
        with pytest.raises(LLMError):
            list(asked(patient, "hello"))
        assert time.monotonic() - began < 1
        patient.unload()
