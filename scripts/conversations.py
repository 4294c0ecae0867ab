"""Prints docs/conversations.md: conversations with each persona, answered by the engine `answers` as it is now.

python -m scripts.conversations > docs/conversations.md
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from core.catalogue import Catalogue
from worker.engines.llm.answers import Answers, Choice
from worker.engines.llm.base import Message

ROOT = Path(__file__).parents[1]
HEADER = """\
# Conversations

What the engine `answers` says to ten messages in a row, without any model, for each of the shipped personas in each
language. `python -m scripts.conversations > docs/conversations.md` writes this page, and a test keeps it true. Today is
a Tuesday in it.
"""


@dataclass(frozen=True)
class Talk:
    """asked: the user's messages, each with the ids of the answers that are told and what they are about."""

    persona: str
    language: str
    asked: tuple[tuple[str, tuple[str, ...], dict[str, str]], ...]


TALKS = (
    Talk(
        "sara",
        "ar",
        (
            ("السلام عليكم، أبغى أروح مكة", ("cities",), {"city": "makkah"}),
            ("بكم التذكرة؟", ("price",), {"city": "makkah"}),
            ("طيب ولو كنا أربعة؟", ("price",), {"city": "makkah", "count": "4"}),
            ("ومتى يطلع الباص يوم الجمعة؟", ("times",), {"city": "makkah", "day": "friday"}),
            ("كم ساعة الطريق؟", ("duration",), {"city": "makkah"}),
            ("وكم شنطة مسموح لكل واحد؟", ("luggage",), {}),
            ("فيه واي فاي بالباص؟", ("wifi",), {}),
            ("تعرف وين أقرب مطعم؟", (), {}),
            ("طيب كيف أحجز؟", ("booking",), {"city": "makkah"}),
            ("مشكور وما قصرت، مع السلامة", (), {}),
        ),
    ),
    Talk(
        "sara",
        "en",
        (
            ("Good morning! How much is a ticket to Jeddah?", ("price",), {"city": "jeddah"}),
            ("And for three of us?", ("price",), {"city": "jeddah", "count": "3"}),
            ("How long does it take?", ("duration",), {"city": "jeddah"}),
            ("Are there buses on Friday?", ("times",), {"city": "jeddah", "day": "friday"}),
            ("Can I bring two suitcases?", ("luggage",), {}),
            ("And a bicycle?", ("bicycle",), {}),
            ("What if my bus is late?", ("late",), {}),
            ("How do I cancel?", ("cancel",), {}),
            ("Who won the match yesterday?", (), {}),
            ("Thanks, you've been very helpful. Bye!", (), {}),
        ),
    ),
    Talk(
        "layla",
        "ar",
        (
            ("مساء الخير", (), {}),
            ("عندكم دكتور عيون؟", ("doctors",), {"specialty": "eyes"}),
            ("بكم الكشف؟", ("price",), {"specialty": "eyes"}),
            ("طيب والأسنان؟", ("price",), {"specialty": "dental"}),
            ("فاتحين يوم السبت؟", ("hours",), {"day": "saturday"}),
            ("عايز أحجز موعد", ("appointment",), {"specialty": "dental"}),
            ("أقدر ألغي الموعد بعدين؟", ("cancel",), {}),
            ("بدي أعمل تحليل فيتامين د، قديش؟", ("lab",), {"test": "vitamin_d"}),
            ("ولازم صوم قبله؟", ("fasting",), {"test": "vitamin_d"}),
            ("الله يعطيك العافية", (), {}),
        ),
    ),
    Talk(
        "layla",
        "en",
        (
            ("Hello, do you have a skin doctor?", ("doctors",), {"specialty": "skin"}),
            ("How much is a visit?", ("price",), {"specialty": "skin"}),
            ("And the dentist?", ("price",), {"specialty": "dental"}),
            ("Are you open on Saturday?", ("hours",), {"day": "saturday"}),
            ("Do you take insurance?", ("insurance",), {"specialty": "dental"}),
            ("I need a blood sugar test. Do I have to fast?", ("fasting",), {"test": "sugar"}),
            ("When do I get the result?", ("results",), {"test": "sugar"}),
            ("Where can I park?", ("parking",), {}),
            ("Can you fix my fridge?", (), {}),
            ("Great, thank you!", (), {}),
        ),
    ),
    Talk(
        "omar",
        "ar",
        (
            ("هلا والله", (), {}),
            ("عندكم غسالات؟", ("washing",), {}),
            ("بكم؟", ("price",), {"product": "washing_machine"}),
            ("والتلاجات؟", ("price",), {"product": "fridge"}),
            ("وكم الضمان؟", ("warranty",), {"product": "fridge"}),
            ("توصلون لجدة؟", ("delivery",), {"city": "jeddah"}),
            ("وكم يوم ياخذ؟", ("delivery_time",), {"city": "jeddah"}),
            ("أقدر أدفع وقت الاستلام؟", ("cash_on_delivery",), {}),
            ("انت روبوت ولا إنسان؟", (), {}),
            ("تسلم، باي", (), {}),
        ),
    ),
    Talk(
        "omar",
        "en",
        (
            ("Hi! Do you sell washing machines?", ("stock",), {"product": "washing_machine"}),
            ("How much are they?", ("price",), {"product": "washing_machine"}),
            ("And fridges?", ("price",), {"product": "fridge"}),
            ("How long is the warranty?", ("warranty",), {"product": "fridge"}),
            ("Do you deliver to Dammam?", ("delivery",), {"city": "dammam"}),
            ("How much is that?", ("delivery_cost",), {"city": "dammam"}),
            ("Can I pay in instalments?", ("instalments",), {}),
            ("What if it breaks?", ("broken",), {}),
            ("Do you sell ice cream?", (), {}),
            ("OK thanks, goodbye", (), {}),
        ),
    ),
)


def tuesday(zone: ZoneInfo) -> datetime:
    """A Tuesday at noon."""
    return datetime(2025, 3, 4, 12, tzinfo=zone)


def held(talk: Talk) -> Iterator[tuple[str, Choice]]:
    """Each message with what is said to it."""
    engine, persona = Answers(tuesday), Catalogue(ROOT).avatar(talk.persona).persona
    history: list[Message] = []
    for text, *_ in talk.asked:
        history.append(Message("user", text))
        choice = engine.choose(history, persona=persona, language=talk.language)
        history.append(Message("assistant", choice.text))
        yield text, choice


def page() -> str:
    """All conversations, as the page shows them."""
    return "\n".join((HEADER, *(_section(talk) for talk in TALKS)))


def _section(talk: Talk) -> str:
    avatar = Catalogue(ROOT).avatar(talk.persona)
    title = f"## {avatar.name[talk.language]}: {avatar.persona.business[talk.language]}"
    lines = [f"> **{text}**\n>\n> {choice.text}\n" for text, choice in held(talk)]
    return "\n".join((title, "", *lines))


if __name__ == "__main__":
    print(page(), end="")
