"""What an entry of words.toml stands for, and finding it among a text's words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import product
from typing import Generic, TypeVar

from worker.engines.emotion.keywords.spelling import spellings
from worker.engines.emotion.keywords.tokens import Form, Token

T = TypeVar("T")

GAP = ".."
JOINT = "_"
_REACH = 3
"""Words that a gap spans at most."""
_PIECES = re.compile(r"\s+")


class Manner(IntEnum):
    """How a word must fit; of two entries that fit the same words the greater one is meant."""

    BEGINS = 0
    VERB = 1
    STEM = 2
    WHOLE = 3


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in a pattern: the words that fit it, by the manner in which they do."""

    keys: Mapping[Manner, frozenset[str]]

    def fits(self, form: Form) -> bool:
        return any(not keys.isdisjoint(looked_up(form, manner)) for manner, keys in self.keys.items())


@dataclass(frozen=True, slots=True)
class Pattern(Generic[T]):
    """Slots one after the other, None where words may stand between, and what they mean."""

    slots: tuple[Slot | None, ...]
    meaning: T


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """A pattern's words: from `start` up to `end`; `denied` where one of them carries its own denial."""

    start: int
    end: int
    denied: bool
    manner: Manner
    meaning: T


def sign(text: str, meaning: T) -> Pattern[T]:
    """An emoji or an emoticon, as the tokens show it."""
    return Pattern((Slot({Manner.WHOLE: frozenset({text.replace("\ufe0f", "")})}),), meaning)


def parsed(entry: str, meaning: T) -> Iterator[Pattern[T]]:
    """Raises ValueError where a gap begins or ends the entry, or nothing is in it."""
    pieces = [piece for piece in _PIECES.split(entry.strip()) if piece]
    if not pieces or GAP in (pieces[0], pieces[-1]):
        raise ValueError(f"an entry needs words around its gaps: {entry!r}")
    for choice in product(*(_choices(piece) for piece in pieces)):
        yield Pattern(tuple(slot for slots in choice for slot in slots), meaning)


def _choices(piece: str) -> list[list[Slot | None]]:
    """`a/b/c_d`: the single words are one slot together, the joined ones are slots of their own."""
    if piece == GAP:
        return [[None]]
    words = piece.split("/")
    single = [word for word in words if JOINT not in word]
    found: list[list[Slot | None]] = [[_slot(single)]] if single else []
    found.extend([_slot([part]) for part in word.split(JOINT)] for word in words if JOINT in word)
    return found


class Index(Generic[T]):
    """Patterns by the word that they begin with."""

    def __init__(self, patterns: Iterable[Pattern[T]]) -> None:
        self._by_first: dict[Manner, dict[str, list[Pattern[T]]]] = {manner: {} for manner in Manner}
        for pattern in patterns:
            for manner, keys in _first(pattern).keys.items():
                for key in keys:
                    self._by_first[manner].setdefault(key, []).append(pattern)

    def at(self, tokens: Sequence[Token], place: int) -> list[Found[T]]:
        """What begins at this place, the longest first and of those the closest in form."""
        token = tokens[place]
        found = list(self._begun(token.form, tokens, place))
        if token.denied is not None and not found:
            found = list(self._begun(token.denied, tokens, place))
        return sorted(found, key=lambda hit: (hit.end, hit.manner), reverse=True)

    def _begun(self, form: Form, tokens: Sequence[Token], place: int) -> Iterator[Found[T]]:
        for manner, patterns in self._by_first.items():
            for key in looked_up(form, manner):
                for pattern in patterns.get(key, ()):
                    end = _end(pattern.slots, tokens, place, tokens[place].part)
                    if end is not None:
                        closeness = Manner.WHOLE if manner is Manner.STEM and key in form.whole else manner
                        denied = any(not _stands(pattern.slots, token) for token in tokens[place:end])
                        yield Found(place, end, denied, closeness, pattern.meaning)


def looked_up(form: Form, manner: Manner) -> frozenset[str]:
    """The word's forms that a key of this manner is compared with."""
    if manner is Manner.WHOLE:
        return form.whole
    if manner is Manner.STEM:
        return form.stems
    return form.verbs if manner is Manner.VERB else form.beginnings


def _first(pattern: Pattern[T]) -> Slot:
    first = pattern.slots[0]
    assert first is not None  # parsed() refuses a gap there
    return first


def _stands(slots: tuple[Slot | None, ...], token: Token) -> bool:
    """Whether the word stands in the pattern without a denial of its own."""
    if token.denied is None or any(slot is None for slot in slots):
        return True
    return any(slot is not None and slot.fits(token.form) for slot in slots)


def _end(slots: tuple[Slot | None, ...], tokens: Sequence[Token], place: int, part: int) -> int | None:
    """Where the slots end that begin at `place`; None where they do not fit."""
    if not slots:
        return place
    first, rest = slots[0], slots[1:]
    if first is None:
        ends = (_end(rest, tokens, place + skipped, part) for skipped in range(_REACH + 1))
        return next((end for end in ends if end is not None), None)
    if place >= len(tokens) or tokens[place].part != part or not _fits(first, tokens[place]):
        return None
    return _end(rest, tokens, place + 1, part)


def _fits(slot: Slot, token: Token) -> bool:
    return slot.fits(token.form) or (token.denied is not None and slot.fits(token.denied))


def _slot(words: Sequence[str]) -> Slot:
    keys: dict[Manner, frozenset[str]] = {}
    for word in words:
        manner = _MARKED.get(word[:1], Manner.BEGINS if word.endswith("*") else Manner.STEM)
        found = spellings(word.strip("=-*")) - {""}
        keys[manner] = keys.get(manner, frozenset()) | found
    return Slot(keys)


_MARKED = {"=": Manner.WHOLE, "-": Manner.VERB}
