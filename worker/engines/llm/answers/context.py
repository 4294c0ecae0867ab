"""What a conversation is about, and what in a message points back to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.persona import COUNT, Entity
from core.text import fold
from worker.engines.llm.answers import table
from worker.engines.llm.answers.reading import Reading, Token
from worker.engines.llm.answers.smalltalk import TABLE

Named = Mapping[str, Entity | int]

_SHORT, _FEW_WORDS = 3, 5
"""Words of content that a message which points back has at most; words that it has at most if it begins with `و`."""
_COUNTED = frozenset(table.meaning(fold(word)) for word in ("person", "ticket", "seat", "piece", "device"))
"""Of `three tickets` nothing but the number is new."""
_CONNECTORS = frozenset(fold(TABLE["connectors"]["words"]).split())
_ANAPHORS = frozenset(fold(TABLE["connectors"]["anaphors"]).split())
_GENERIC = frozenset(fold(TABLE["connectors"]["generic"]).split())
_WHICH = frozenset(fold(TABLE["connectors"]["which"]).split())
_OPENERS = frozenset(fold(TABLE["connectors"]["openers"]).split())
_NO_AND = frozenset(fold("وين وقت وش وشو").split())
"""Words whose `و` is their own."""


@dataclass(frozen=True)
class State:
    """What a conversation is about. topics: places of the last answers, the latest first. named: what was named last,
    by kind. tokens: of the last question. recent: kinds of things that the last answer was about."""

    topics: tuple[int, ...] = ()
    named: Named = field(default_factory=dict)
    tokens: tuple[Token, ...] = ()
    recent: frozenset[str] = frozenset()


def opens(reading: Reading) -> bool:
    """Whether a message begins with a word that binds it to the one before."""
    return bool(reading.words) and reading.words[0] in _OPENERS


def asks_which(reading: Reading) -> bool:
    """`which ones?`, where nothing else is said."""
    return not _WHICH.isdisjoint(reading.words)


def only_names(reading: Reading) -> bool:
    """`and on Friday?`, `وللدمام؟`, `two please`: names, and words that bind."""
    counted = _COUNTED if COUNT in reading.named else frozenset()
    if not reading.mentions or reading.asking or any(token.key not in counted for token in reading.content):
        return False
    return all(token.words[0] in _CONNECTORS for token in reading.tokens if token.key[0] == "~")


def points_back(reading: Reading) -> bool:
    """Whether the message needs the one before: it says `it`, begins with `and`, or is but a question word."""
    words, said = reading.words, len(reading.content)
    if not words:
        return False
    if said <= _SHORT and (words[0] in _OPENERS or any(word in _ANAPHORS for word in words)):
        return True
    if words[0][0] == "و" and len(words[0]) > 2 and len(words) <= _FEW_WORDS and words[0] not in _NO_AND:
        return True
    return said == 0 or (said == 1 and len(words) <= _SHORT)


def says_it(reading: Reading) -> bool:
    """Whether a short message has a pronoun for what was spoken of."""
    return len(reading.content) <= _SHORT and any(word in _ANAPHORS for word in reading.words)


def is_generic(reading: Reading, kind: str) -> bool:
    """Whether the message asks for all of a kind, or for others: nothing is carried over into it."""
    word = table.meaning(fold(kind))
    return any(each in _GENERIC for each in reading.words) or any(token.key == word for token in reading.tokens if word)
