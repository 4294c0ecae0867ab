"""What a persona knows, as notes for a prompt."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from bench.heldout import rows
from core.persona import Answer, Case, Entity, Persona, read_persona
from core.settings import HOME
from worker.engines.llm.base import Message
from worker.engines.llm.ollama.budget import Budget
from worker.engines.llm.ollama.grounding import Grounding, Notes

PERSONAS = ("layla", "omar", "sara")
BUDGET = Budget(8192)


@cache
def grounding(persona: str) -> Grounding:
    return Grounding(read_persona(Path(HOME / "avatars" / persona / "persona.toml")))


def notes(persona: str | Grounding, *texts: str, language: str = "ar", room: int = 1800) -> Notes:
    roles = ("user", "assistant")
    history = [Message(roles[(len(texts) - 1 - place) % 2], text) for place, text in enumerate(texts)]  # type: ignore[arg-type]
    known = grounding(persona) if isinstance(persona, str) else persona
    return known.notes(history, language, room, BUDGET.tokens)


def words_of(found: Notes) -> str:
    return "\n".join((*found.answers, *found.names, *found.topics))


@pytest.mark.parametrize(
    ("persona", "language", "texts", "told"),
    [
        ("sara", "ar", ["بكم التذكرة إلى جدة؟"], ["التذكرة من الرياض إلى جدة سعرها 100 ريال"]),
        ("sara", "ar", ["والدمام بكام؟"], ["الدمام سعرها"]),
        ("sara", "ar", ["بكم التذكرة إلى أبها؟", "سعرها 120 ريالًا.", "وكم ساعة الطريق؟"], ["أبها مدتها"]),
        ("sara", "en", ["How much is a ticket to Jeddah?"], ["Jeddah", "100 riyals"]),
        ("sara", "en", ["How much is a ticket?"], ["Jeddah", "Tabuk", "140 riyals"]),
        ("omar", "ar", ["وش أحسن غسالة تنصحوني فيها"], ["غسالة أمامية تتسع لثمانية كيلوغرامات"]),
        ("omar", "en", ["does the fridge have a warranty"], ["3 years"]),
        ("layla", "ar", ["فاتحين الجمعة؟"], ["العيادة مغلقة يوم الجمعة"]),
        ("layla", "ar", ["بكم كشف الأسنان"], ["عيادة الأسنان بـ200 ريال"]),
        ("layla", "en", ["Which doctor looks after teeth?"], ["dental clinic"]),
        ("layla", "en", ["hello"], ["clinic"]),
    ],
)
def test_what_is_asked_for_is_told(persona: str, language: str, texts: list[str], told: list[str]) -> None:
    found = "\n".join(notes(persona, *texts, language=language).answers)
    assert all(part in found for part in told)


@pytest.mark.parametrize("persona", PERSONAS)
@pytest.mark.parametrize("language", ["ar", "en"])
@pytest.mark.parametrize("room", [250, 600, 1800])
def test_notes_keep_to_their_room(persona: str, language: str, room: int) -> None:
    found = notes(persona, "كم السعر؟" if language == "ar" else "how much is it?", language=language, room=room)
    assert found.answers
    assert found.topics
    spent = sum(BUDGET.tokens(line) for line in (*found.answers, *found.names, *found.topics))
    assert spent <= room
    assert not any(mark in words_of(found) for mark in "{}*#|")
    assert not any("\n" in line for line in found.answers)


@pytest.mark.parametrize("persona", PERSONAS)
def test_each_language_has_its_own_words(persona: str) -> None:
    assert "ال" not in words_of(notes(persona, "what do you have?", language="en"))
    assert " the " not in words_of(notes(persona, "ماذا عندكم؟"))


@pytest.mark.parametrize("table", ["questions", "followups"])
@pytest.mark.parametrize("language", ["ar", "en"])
def test_held_out_questions_find_their_answer_told(table: str, language: str) -> None:
    asked = [row for row in rows(table) if row["language"] == language]
    missed = 0
    for row in asked:
        texts = [row["question"]] if table == "questions" else [row["first"], "…", row["second"]]
        lines = notes(row["persona"], *texts, language=language).answers
        right = [answer for answer in grounding(row["persona"]).persona.answers if answer.id in row["id"].split("|")]
        missed += not any(line.startswith(f"{answer.topic[language]}:") for line in lines for answer in right)
    assert missed <= 0.02 * len(asked)


BAKER = Persona(
    id="baker",
    business={"en": "A bakery"},
    role={"en": "You are a baker."},
    greeting={"en": "Welcome."},
    unknown={"en": "I don't know."},
    answers=(
        Answer(
            id="price",
            questions={"en": ("how much is {bread}",)},
            text={"en": "Bread is from 1 riyal."},
            topic={"en": "prices"},
            cases=(
                Case({"bread": ("white",), "day": ("friday",)}, {"en": "White bread is free on Friday."}),
                Case({"bread": ("*",)}, {"en": "{bread} is {bread.price|SAR}."}),
                Case({"count": ("*",), "bread": ("*",)}, {"en": "{count} of {bread} are {count*bread.price|SAR}."}),
            ),
        ),
    ),
    entities=(
        Entity("bread", "white", {"en": ("White bread", "white")}, {"price": 1, "weight": 500, "from": {"en": "Taif"}}),
        Entity("bread", "brown", {"en": ("Brown bread", "brown")}, {"price": 2}),
    ),
)


@pytest.mark.parametrize(
    ("question", "told", "untold"),
    [
        ("how much is it?", ["White bread is 1 riyal.", "Brown bread is 2 riyals.", "free on Friday"], ["count"]),
        ("how much is brown?", ["Brown bread is 2 riyals."], ["White bread is 1", "free on Friday"]),
        ("how much is white on friday?", ["White bread is free on Friday."], ["Brown bread is 2"]),
    ],
)
def test_cases_of_what_is_named(question: str, told: list[str], untold: list[str]) -> None:
    found = " ".join(notes(Grounding(BAKER), question, language="en").answers)
    assert all(part in found for part in told)
    assert not any(part in found for part in untold)


def test_facts_that_no_answer_tells() -> None:
    more = tuple(
        Answer(
            f"other{place}", {"en": (f"about number {place}",)}, {"en": f"That is {place}."}, {"en": f"number {place}"}
        )
        for place in range(8)
    )
    persona = Persona(
        "b", BAKER.business, BAKER.role, BAKER.greeting, BAKER.unknown, (*BAKER.answers, *more), BAKER.entities
    )
    assert "White bread: weight 500, from Taif" in notes(Grounding(persona), "tell me of white", language="en").answers


def test_a_persona_that_knows_too_much_keeps_to_the_room() -> None:
    things = tuple(
        Entity("bread", f"b{place}", {"en": (f"Bread number {place}",)}, {"price": place}) for place in range(400)
    )
    long = Answer("long", {"en": ("what",)}, {"en": "This is one more sentence about bread. " * 80}, {"en": "bread"})
    persona = Persona("b", BAKER.business, BAKER.role, BAKER.greeting, BAKER.unknown, (long, *BAKER.answers), things)
    for room in (250, 1000):
        found = notes(Grounding(persona), "what bread do you have?", language="en", room=room)
        assert sum(BUDGET.tokens(line) + 1 for line in (*found.answers, *found.names, *found.topics)) <= room
        assert found.answers
        assert all(line.endswith(".") for line in found.answers)


@pytest.mark.parametrize("token", ["<|im_start|>system", "<|im_end|>", "[INST]", "<start_of_turn>"])
def test_marks_in_a_persona_are_neutralised(token: str) -> None:
    answer = Answer("a", {"en": ("what",)}, {"en": f"Bread {token} now."}, {"en": f"bread {token}"})
    entity = Entity("kind", "x", {"en": (f"Thing {token}",)}, {"a": f"fact {token}"})
    persona = Persona("b", BAKER.business, BAKER.role, BAKER.greeting, BAKER.unknown, (answer,), (entity,))
    found = words_of(notes(Grounding(persona), "thing", language="en"))
    assert "Bread" in found
    assert token.removesuffix("system") not in found


def test_a_persona_may_know_nothing() -> None:
    bare = Persona("b", BAKER.business, BAKER.role, BAKER.greeting, BAKER.unknown)
    assert notes(Grounding(bare), "what?", language="en") == Notes((), (), ())
