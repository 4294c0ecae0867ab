"""Ten messages in a row, in each language with each persona, as a competent clerk would answer them."""

from __future__ import annotations

from itertools import pairwise

import pytest

from core.catalogue import Catalogue
from core.persona import Persona
from core.text import sentences
from scripts.conversations import ROOT, TALKS, Talk, held, page
from worker.engines.llm.answers import Answers, Choice
from worker.engines.llm.base import Message

ENGINE = Answers()


@pytest.mark.parametrize("talk", TALKS, ids=lambda talk: f"{talk.persona}-{talk.language}")
def test_ten_messages_in_a_row(talk: Talk) -> None:
    assert len(talk.asked) == 10
    said: list[Choice] = []
    for (text, ids, named), (_, choice) in zip(talk.asked, held(talk), strict=True):
        assert (choice.ids, dict(choice.named)) == (ids, named), text
        said.append(choice)
    assert all(set(choice.text) & set("ابتن") for choice in said) is (talk.language == "ar")
    spoken = [sentence for choice in said for sentence in sentences(choice.text)]
    assert all(one != other for one, other in pairwise(spoken))


def test_the_page_of_conversations_is_true() -> None:
    assert (ROOT / "docs/conversations.md").read_text(encoding="utf-8") == page()


def test_history_without_the_assistants_lines(sara: Persona) -> None:
    """What was asked before is understood from the user's messages alone."""
    history = [Message("user", "How much is a ticket to Jeddah?"), Message("user", "and to Dammam?")]
    assert ENGINE.choose(history, persona=sara, language="en").named == {"city": "dammam"}


@pytest.mark.parametrize(
    ("messages", "ids", "named"),
    [
        (("How much is a ticket to Jeddah?", "which cities do you go to?"), ("cities",), {}),
        (("How much is a ticket to Jeddah?", "can I smoke on the bus?"), ("smoking",), {}),
        (("How much are 3 tickets to Jeddah?", "How much is a ticket?"), ("price",), {"city": "jeddah"}),
        (("How much is a ticket?", "thanks", "and to Abha?"), ("price",), {"city": "abha"}),
        (("How much is a ticket?", "what is the capital of France?", "to Abha"), ("price",), {"city": "abha"}),
    ],
)
def test_what_is_carried_over(
    sara: Persona, messages: tuple[str, ...], ids: tuple[str, ...], named: dict[str, str]
) -> None:
    history: list[Message] = []
    for text in messages:
        history.append(Message("user", text))
        choice = ENGINE.choose(history, persona=sara, language="en")
        history.append(Message("assistant", choice.text))
    assert (choice.ids, dict(choice.named)) == (ids, named)


@pytest.fixture(scope="module")
def sara() -> Persona:
    return Catalogue(ROOT).avatar("sara").persona
