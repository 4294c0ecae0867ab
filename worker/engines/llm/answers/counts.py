"""How many: figures, number words to twenty and dual nouns, where they count things and not hours, riyals or years."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from core.catalogue import read_toml
from core.text import fold
from worker.engines.llm.answers.arabic import names_in

MOST = 999
_TOML = read_toml(Path(__file__).with_name("numbers.toml"))
_VALUE = {word: value for value, line in enumerate(_TOML["numbers"], start=1) for word in fold(line).split()}
_UNITS = frozenset(fold(_TOML["units"]).split())
_BEFORE = frozenset(fold(_TOML["before"]).split())
_ONE = frozenset(fold(_TOML["one"]).split())
_NOT_ONE = frozenset(fold(_TOML["not_one"]).split())
_DUALS = frozenset(fold(_TOML["duals"]).split())
_PAIRS = frozenset(fold(_TOML["pairs"]).split())
_FIGURES = re.compile(r"[0-9]{1,3}\Z")
_DUAL = re.compile(r"^(?P<noun>\w{3,})[يا]ن$")


def counts(words: Sequence[str]) -> Iterator[tuple[int, int, int]]:
    """(place, words, number) of each number that counts things; words are folded."""
    for place, word in enumerate(words):
        number = _value(word) or _dual(word)
        if number and not _measures(words, place, number):
            yield place, 1, number


@lru_cache(maxsize=4096)
def _value(word: str) -> int:
    """0 for what is no number from 1 to MOST."""
    if _FIGURES.match(word):
        return int(word)
    if word in _PAIRS:
        return 2
    return next((_VALUE[form] for form in (word, word[1:] if word[0] in "وبل" else word) if form in _VALUE), 0)


@lru_cache(maxsize=4096)
def _dual(word: str) -> int:
    return 2 if any(form in _DUALS for form in names_in(word)) else 0


def is_dual_of(word: str, noun: str) -> bool:
    """Whether a folded word is the dual of a folded Arabic noun."""
    match = _DUAL.match(word)
    return match is not None and match["noun"] in (noun, noun.removesuffix("ه") + "ت", noun.removesuffix("ه"))


def _measures(words: Sequence[str], place: int, number: int) -> bool:
    """Whether it is an hour, a price, an age …, or no number at all ("the second one", "one way")."""
    after = words[place + 1] if place + 1 < len(words) else ""
    before = words[place - 1] if place else ""
    if after in _UNITS or before in _BEFORE or (after.isdigit() or before.isdigit()):
        return True
    return number == 1 and words[place] in _ONE and (before in _NOT_ONE or after in _NOT_ONE or not after)
