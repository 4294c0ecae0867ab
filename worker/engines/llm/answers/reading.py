"""A text as the engine reads it: what it names, and the meaning of each other word."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from core.persona import Entity
from core.persona.asking import KIND
from worker.engines.llm.answers import table
from worker.engines.llm.answers.entities import Mention, Names, named
from worker.engines.llm.answers.wording import words_of

_PLACEHOLDER = "0kind0"
_SUBJECTS = frozenset(("i", "it", "he", "she", "we", "they"))
_ASKS_ON = frozenset(
    ("know", "me", "us", "tell", "say", "see", "ask", "and", "or", "out", "sure", "about", "wondering", "check")
)
"""Words after which `when` asks for the time."""


@dataclass(frozen=True)
class Token:
    """A word, an expression or a name.

    place and words: where it stands. key: what it means, `=` and a group's head, `'` and a stem, `@` and a kind, or
    `~` and a word that asks for nothing. also: what it implies. exact: the word itself for those of a group.
    """

    place: int
    words: tuple[str, ...]
    key: str
    also: tuple[str, ...] = ()
    exact: str = ""

    @property
    def is_content(self) -> bool:
        """Whether it says what is asked, or of what."""
        return self.key[0] in "='" and self.key not in table.ASKING

    @property
    def is_asking(self) -> bool:
        return self.key in table.ASKING


@dataclass(frozen=True)
class Reading:
    """A text's folded words, what they name, and their meanings in order."""

    words: tuple[str, ...]
    mentions: tuple[Mention, ...]
    tokens: tuple[Token, ...]

    @cached_property
    def named(self) -> Mapping[str, Entity | int]:
        return named(self.mentions, self.words)

    @cached_property
    def content(self) -> tuple[Token, ...]:
        return tuple(token for token in self.tokens if token.is_content)

    @cached_property
    def asking(self) -> tuple[Token, ...]:
        return tuple(token for token in self.tokens if token.is_asking)


class Reader:
    """Reads texts for one persona. known: whether a folded word is one of its own."""

    def __init__(self, names: Names, known: Callable[[str], bool]) -> None:
        self._names = names
        self._known = known

    def read(self, text: str, today: int = 0) -> Reading:
        """today: 0 is Monday."""
        words = words_of(text)
        mentions = self._names.mentions(words, today, self._is_known)
        return Reading(words, tuple(mentions), tuple(_tokens(words, mentions)))

    def _is_known(self, word: str) -> bool:
        return self._known(word) or table.is_filler(word) or bool(table.meaning(word))


def phrasing(text: str, names: Names) -> tuple[Token, ...]:
    """A way of asking, `{kind}` in it as a name of that kind."""
    kinds = iter(KIND.findall(text))
    words = words_of(KIND.sub(f" {_PLACEHOLDER} ", text))
    tokens = _tokens(words, names.mentions(words, 0, lambda word: True))
    return tuple(
        Token(token.place, token.words, f"@{next(kinds)}") if token.words == (_PLACEHOLDER,) else token
        for token in tokens
    )


def _tokens(words: Sequence[str], mentions: Sequence[Mention]) -> Iterator[Token]:
    starts = {mention.place: mention for mention in reversed(mentions)}
    place = 0
    while place < len(words):
        if mention := starts.get(place):
            yield from _of_mentions([other for other in mentions if other.place == place], words)
            place += mention.length
            continue
        free = next((there for there in range(place, len(words)) if there in starts), len(words)) - place
        length, token = _expression(words, place, min(free, table.LONGEST))
        if token is not None:
            yield token
        place += length


def _of_mentions(mentions: Sequence[Mention], words: Sequence[str]) -> Iterator[Token]:
    for mention in mentions:
        said = tuple(words[mention.place : mention.place + mention.length])
        meanings = tuple(filter(None, (table.meaning(word) for word in said)))
        yield Token(mention.place, said, f"@{mention.kind}", meanings, f"@{mention.kind}:{mention.id}")


def _expression(words: Sequence[str], place: int, longest: int) -> tuple[int, Token | None]:
    """The longest expression that begins here, or the single word; None for mere politeness."""
    for length in range(longest, 1, -1):
        said = tuple(words[place : place + length])
        meaning = table.expression(said)
        if meaning is None and said[0][0] in "وف" and len(said[0]) > 2:
            meaning = table.expression((said[0][1:], *said[1:]))
        if meaning is not None:
            return length, _token(place, said, meaning) if meaning else None
    word = words[place]
    if table.is_polite(word):
        return 1, None
    if _joins(words, place):
        return 1, Token(place, (word,), "~" + word)
    return 1, _token(place, (word,), table.meaning(word))


def _joins(words: Sequence[str], place: int) -> bool:
    """Whether it is a `when` that asks for no time: it joins two clauses ("can I pay when I get it")."""
    after = words[place + 1] if place + 1 < len(words) else ""
    return words[place] == "when" and after in _SUBJECTS and place > 1 and words[place - 1] not in _ASKS_ON


def _token(place: int, said: tuple[str, ...], meaning: str) -> Token:
    if meaning:
        return Token(place, said, meaning, table.ALSO.get(meaning, ()), "'" + table.stem(said[0]))
    if table.is_said_for(said[0]) or (len(said[0]) < 2 and not said[0].isdigit()):
        return Token(place, said, "~" + said[0])
    if said[0].isdigit():
        return Token(place, said, "~0")
    return Token(place, said, "'" + table.stem(said[0]))
