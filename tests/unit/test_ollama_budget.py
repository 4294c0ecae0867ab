"""Tokens: the estimate, and how a context is shared out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ConfigurationError
from worker.engines.llm.base import Message
from worker.engines.llm.ollama.budget import ANSWER, Budget, estimated

COUNTED = [
    ("مرحبًا بكم في عيادة الياسمين. كيف أساعدكم اليوم؟", 19),
    ("التذكرة من الرياض إلى جدة سعرها 100 ريال، وتذكرة الذهاب والعودة 180 ريالًا.", 32),
    ("عايز أحجز تذكرة لجدة بكام؟", 13),
    ("مَرْحَبًا بِكُمْ فِي العِيَادَةِ", 25),
    ("A visit to the family doctor is 150 riyals, and to a specialist up to 250 riyals.", 29),
    ("From Sunday to Thursday from 8:00 in the morning to 8:00 in the evening.", 23),
    ("اتصل بنا على 0115550100 أو عبر WhatsApp", 19),
    ("0115550100", 10),
    ("😀 👍🏽 🎉", 7),
    ("👨‍👩‍👧‍👦", 10),
    ("aGVsbG8gd29ybGQgdGhpcyBpcyBiYXNlNjQ=", 28),
    ("https://example.com/a?b=c", 8),
    ("中文测试句子", 3),
    ("Привет как дела", 5),
]
"""What Qwen's own tokenizer makes of them."""


@pytest.mark.parametrize(("text", "counted"), COUNTED)
def test_the_estimate_is_safe(text: str, counted: int) -> None:
    assert estimated(text) >= counted


def test_the_estimate_is_not_wasteful() -> None:
    whole = [(estimated(text), counted) for text, counted in COUNTED if counted > 20]
    assert sum(estimate for estimate, _ in whole) < 1.4 * sum(counted for _, counted in whole)


@given(st.text(max_size=300), st.text(max_size=300))
def test_more_text_has_more_tokens(text: str, more: str) -> None:
    assert 0 <= estimated(text) <= estimated(text + "\n" + more) + 1


def test_a_servers_count_raises_the_estimates() -> None:
    budget = Budget(8192)
    before = budget.tokens("السلام عليكم")
    budget.correct(100, 90)
    assert budget.tokens("السلام عليكم") == before
    budget.correct(100, 150)
    assert budget.tokens("السلام عليكم" * 20) >= 1.45 * estimated("السلام عليكم" * 20)
    budget.correct(100, 0)
    assert budget.tokens("السلام عليكم") > before


@pytest.mark.parametrize("context", [3072, 4096, 8192, 32_768])
@pytest.mark.parametrize("question", ["hello", "word " * 4000])
def test_nothing_is_given_twice(context: int, question: str) -> None:
    fixed = "rule " * 900
    budget = Budget(context)
    room = budget.room(fixed, "layla", question)
    assert min(room.notes, room.question) > 0
    assert room.history >= 0
    assert budget.tokens(fixed) + room.notes + room.history + room.question + ANSWER <= context
    assert budget.tokens(budget.cut(question, room.question)) <= room.question


@pytest.mark.parametrize("context", [256, 1024, 1500])
def test_a_context_too_small_for_the_persona_is_told_with_one_that_fits(context: int) -> None:
    fixed = "rule " * 900
    with pytest.raises(
        ConfigurationError, match=r"too small for the persona layla: set SMARTTALKER_LLM_CONTEXT"
    ) as told:
        Budget(context).room(fixed, "layla", "hello")
    Budget(int(str(told.value).split(" to ")[-1].split()[0])).room(fixed, "layla", "word " * 4000)


def line(place: int, text: str) -> Message:
    return Message("user" if place % 2 == 0 else "assistant", text)


@pytest.mark.parametrize("room", [0, 5, 30, 100, 10_000])
def test_history_keeps_the_newest_whole(room: int) -> None:
    history = [line(place, f"Message number {place} says a little.") for place in range(30)]
    budget = Budget(8192)
    kept = budget.fitting(history, room)
    assert kept == history[len(history) - len(kept) :]
    assert not kept or kept[0].role == "user"
    assert sum(budget.tokens(message.text) for message in kept) <= room
    assert (len(kept) == len(history)) == (room == 10_000)


@given(st.text(max_size=400), st.integers(min_value=4, max_value=200))
def test_a_text_is_cut_between_words(text: str, room: int) -> None:
    budget = Budget(8192)
    cut = budget.cut(text, room)
    assert budget.tokens(cut) <= room
    assert cut == text or (cut.endswith("…") and text.startswith(cut[:-1].rstrip()))
