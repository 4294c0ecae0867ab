from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from core.catalogue import Catalogue, Persona
from core.kinds import LANGUAGES, Tone
from worker.engines.llm.answers import Answers
from worker.engines.llm.answers.matching import Matcher
from worker.engines.llm.answers.replies import SURE
from worker.engines.llm.base import Message

CATALOGUE = Catalogue(Path(__file__).parents[2])
PERSONAS = [CATALOGUE.avatar(name).persona for name in ("layla", "omar", "sara")]

ASKED = [
    ("sara", "Hello, I would like to know when the bus leaves please", "times"),
    ("sara", "how much is teh tikcet", "price"),
    ("sara", "مرحبا لو سمحت بكام تذكرة الباص", "price"),
    ("sara", "شو اسعار التذاكر عندكم يا اخي", "price"),
    ("sara", "وين محطة الباصات؟", "station"),
    ("sara", "عندي شنط كتير", "luggage"),
    ("sara", "I'm so angry, my bus is two hours late!", "late"),
    ("sara", "ممكن ارجع فلوس التذكرة", "cancel"),
    ("sara", "هل يوجد واي فاي؟", "onboard"),
    ("sara", "السعر", "price"),
    ("omar", "do you have fridges?", "kitchen"),
    ("omar", "بدي جوال جديد", "phones"),
    ("omar", "my laptop is broken", "broken"),
    ("omar", "امتى بتقفلوا", "hours"),
    ("omar", "can i pay by visa", "payment"),
    ("omar", "shipping cost?", "delivery"),
    ("layla", "I have a terrible pain in my chest", "emergency"),
    ("layla", "كم سعر زيارة الدكتور", "price"),
    ("layla", "do you accept health insurance", "insurance"),
    ("layla", "عايز اغير معاد الكشف", "cancel"),
    ("layla", "are my blood results in", "results"),
    ("layla", "احتاج دكتور اسنان", "doctors"),
]
UNKNOWN = [
    "what is the capital of france",
    "who won the match yesterday",
    "tell me a joke",
    "how tall is the eiffel tower",
    "how much does the moon weigh",
    "where is the nearest museum",
    "how do i cook rice",
    "ما هي عاصمة فرنسا",
    "من فاز في المباراة أمس",
    "احكي لي نكتة",
    "كم عمر الكون",
    "أين أقرب متحف",
    "اكتب لي قصيدة",
    "asdf qwer",
    "12345",
]


def of(name: str) -> Persona:
    return next(persona for persona in PERSONAS if persona.id == name)


def reply(name: str, text: str, language: str = "en") -> str:
    return "".join(Answers().answer([Message("user", text)], persona=of(name), language=language, tone=Tone.NEUTRAL))


def text_of(name: str, answer_id: str, language: str) -> str:
    return next(answer.text[language] for answer in of(name).answers if answer.id == answer_id)


@pytest.mark.parametrize(("name", "question", "answer_id"), ASKED)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_question_in_other_words(name: str, question: str, answer_id: str, language: str) -> None:
    assert reply(name, question, language) == text_of(name, answer_id, language)


@pytest.mark.parametrize("question", UNKNOWN)
@pytest.mark.parametrize("persona", PERSONAS, ids=lambda persona: persona.id)
def test_what_is_unknown_is_said_to_be(persona: Persona, question: str) -> None:
    said = reply(persona.id, question)
    assert said.startswith(persona.unknown["en"])
    assert sum(answer.topic["en"] in said for answer in persona.answers) == 3


@pytest.mark.parametrize("persona", PERSONAS, ids=lambda persona: persona.id)
def test_every_phrasing_finds_its_answer(persona: Persona) -> None:
    matcher = Matcher(persona.answers)
    for answer in persona.answers:
        for question in (*answer.questions["ar"], *answer.questions["en"]):
            best = matcher.ranked(question)[0]
            assert best.score > 0.75, question
            assert best.answer.text == answer.text, question


@pytest.mark.parametrize(("language", "least"), [("ar", 0.72), ("en", 0.70)])
def test_a_phrasing_that_is_left_out_is_still_found(language: str, least: float) -> None:
    trials = [trial for persona in PERSONAS for trial in _left_out(persona, language)]
    assert sum(found for found, _ in trials) / len(trials) >= least
    assert sum(wrong for _, wrong in trials) / len(trials) <= 0.09


def _left_out(persona: Persona, language: str) -> Sequence[tuple[bool, bool]]:
    """(the right answer found, a wrong one found) for each phrasing when it is taken out of the persona."""
    trials = []
    for place, answer in enumerate(persona.answers):
        for question in answer.questions[language]:
            rest = tuple(other for other in answer.questions[language] if other != question)
            without = replace(answer, questions={**answer.questions, language: rest})
            best = Matcher([*persona.answers[:place], without, *persona.answers[place + 1 :]]).ranked(question)[0]
            right = best.answer.id == answer.id
            trials.append((right and best.score >= SURE, not right and best.score >= SURE))
    return trials


@pytest.mark.parametrize(
    ("language", "text", "start"),
    [
        ("en", "Hello!", "Hello and welcome!"),
        ("ar", "السلام عليكم", "أهلًا وسهلًا!"),
        ("ar", "شكرًا جزيلًا", "على الرحب والسعة"),
        ("en", "thank you so much", "You're welcome!"),
        ("en", "what can you do?", "Hello and welcome! I'm Sara"),
        ("ar", "كيفك", "بخير"),
        ("ar", "مع السلامة", "مع السلامة"),
    ],
)
def test_small_talk(language: str, text: str, start: str) -> None:
    assert reply("sara", text, language).startswith(start)


def test_a_greeting_does_not_hide_the_question() -> None:
    assert reply("sara", "Hello, how much is a ticket?") == text_of("sara", "price", "en")
    assert reply("sara", "السلام عليكم، كم سعر التذكرة؟", "ar") == text_of("sara", "price", "ar")


def test_two_questions_get_two_answers() -> None:
    said = reply("sara", "How much is a ticket? And where is the station?")
    assert said == f"{text_of('sara', 'price', 'en')} {text_of('sara', 'station', 'en')}"


def test_topics_are_listed_as_people_speak() -> None:
    assert reply("sara", "xyzzy").endswith("about bus times, ticket prices or booking a seat.")
    assert " و" in reply("sara", "xyzzy", "ar")


def test_an_edited_persona_is_taken() -> None:
    engine, persona = Answers(), of("sara")
    ask = [Message("user", "do you sell umbrellas")]
    before = "".join(engine.answer(ask, persona=persona, language="en", tone=Tone.NEUTRAL))
    more = replace(persona.answers[0], id="umbrella", questions={"en": ("do you sell umbrellas",)}, text={"en": "Yes."})
    edited = replace(persona, answers=(*persona.answers, more))
    assert before.startswith(persona.unknown["en"])
    assert list(engine.answer(ask, persona=edited, language="en", tone=Tone.NEUTRAL)) == ["Yes."]


@pytest.mark.parametrize("persona", PERSONAS, ids=lambda persona: persona.id)
def test_personas_are_whole(persona: Persona) -> None:
    assert len(persona.answers) >= 12
    for texts in (persona.business, persona.role, persona.greeting, persona.unknown):
        assert all(texts[language].strip() for language in LANGUAGES)
    for answer in persona.answers:
        assert all(len(answer.questions[language]) >= 4 for language in LANGUAGES)
        assert all(answer.text[language] and answer.topic[language] for language in LANGUAGES)
    assert max(len(answer.text["en"].split()) for answer in persona.answers) >= 27  # ten seconds at 160 words a minute
