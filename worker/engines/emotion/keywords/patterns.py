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
    """A pattern's words: from `start` up to `end`; `denied` where one of them carries its own denial; `number`: which
    pattern of its index it is."""

    start: int
    end: int
    denied: bool
    manner: Manner
    number: int
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
    """Patterns by the words that they begin with: `first` by the first slot, `next` by the second where it follows at
    once, `far` by the second where a gap lies between; `alone`: those of one slot.

    Sets of patterns are the bits of a number, the n-th bit stands for the n-th pattern: most patterns begin with words
    as common as `not`, and what may begin at a place is what fits there and goes on with what follows.
    """

    def __init__(self, patterns: Iterable[Pattern[T]]) -> None:
        self.patterns = tuple(patterns)
        self.first, self.next, self.far = _Keyed(), _Keyed(), _Keyed()
        self.alone = 0
        for number, pattern in enumerate(self.patterns):
            self.first.add(pattern.slots[0], number)
            if len(pattern.slots) == 1:
                self.alone |= 1 << number
            elif pattern.slots[1] is not None:
                self.next.add(pattern.slots[1], number)
            else:
                self.far.add(pattern.slots[2], number)

    def search(self, tokens: Sequence[Token]) -> Search[T]:
        return Search(self, tokens)


class Search(Generic[T]):
    """One index in one text."""

    def __init__(self, index: Index[T], tokens: Sequence[Token]) -> None:
        self._index, self._tokens = index, tokens
        self._next = [index.next.fitting(token) for token in tokens]
        self._far = [index.far.fitting(token) for token in tokens]

    def at(self, place: int) -> list[Found[T]]:
        """What begins at this place: the longest first, then the closest in form, then the first in the file."""
        token = self._tokens[place]
        following = self._following(place)
        found = list(self._begun(token.form, following, place))
        if token.denied is not None and not found:
            found = list(self._begun(token.denied, following, place))
        return sorted(found, key=lambda hit: (-hit.end, -hit.manner, hit.number))

    def _following(self, place: int) -> int:
        """The patterns that may go on behind a place."""
        patterns = self._index.alone
        for number in self._next[place + 1 : place + 2]:
            patterns |= number
        for number in self._far[place + 1 : place + _REACH + 2]:
            patterns |= number
        return patterns

    def _begun(self, form: Form, following: int, place: int) -> Iterator[Found[T]]:
        for manner in Manner:
            for key in looked_up(form, manner):
                for number in _bits(self._index.first.of(key, manner) & following):
                    pattern = self._index.patterns[number]
                    end = _end(pattern.slots, self._tokens, place, self._tokens[place].part)
                    if end is not None:
                        closeness = Manner.WHOLE if manner is Manner.STEM and key in form.whole else manner
                        denied = any(not _stands(pattern.slots, token) for token in self._tokens[place:end])
                        yield Found(place, end, denied, closeness, number, pattern.meaning)


class _Keyed:
    """Sets of patterns by a key of one of their slots."""

    def __init__(self) -> None:
        self._patterns: dict[Manner, dict[str, int]] = {manner: {} for manner in Manner}

    def add(self, slot: Slot | None, number: int) -> None:
        for manner, keys in slot.keys.items() if slot else ():
            kept = self._patterns[manner]
            for key in keys:
                kept[key] = kept.get(key, 0) | 1 << number

    def of(self, key: str, manner: Manner) -> int:
        return self._patterns[manner].get(key, 0)

    def fitting(self, token: Token) -> int:
        """Those of which this slot fits the word, with a denial of its own or without."""
        patterns = self._fitting(token.form)
        return patterns if token.denied is None else patterns | self._fitting(token.denied)

    def _fitting(self, form: Form) -> int:
        patterns = 0
        for manner, kept in self._patterns.items():
            for key in looked_up(form, manner):
                patterns |= kept.get(key, 0)
        return patterns


def _bits(number: int) -> Iterator[int]:
    """The places of the ones in a number."""
    while number:
        lowest = number & -number
        yield lowest.bit_length() - 1
        number ^= lowest


def looked_up(form: Form, manner: Manner) -> frozenset[str]:
    """The word's forms that a key of this manner is compared with."""
    if manner is Manner.WHOLE:
        return form.whole
    if manner is Manner.STEM:
        return form.stems
    return form.verbs if manner is Manner.VERB else form.beginnings


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
