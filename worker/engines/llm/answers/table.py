"""The words that the engine knows of itself (words.toml), folded and ready to be looked up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path

from core.catalogue import read_toml
from core.text import fold
from worker.engines.llm.answers import arabic, english

Words = tuple[str, ...]

_TOML = read_toml(Path(__file__).with_name("words.toml"))


def _members(line: str) -> list[Words]:
    """The line's words and expressions, each as its folded words."""
    return [words for member in line.split() if (words := tuple(fold(member.replace("_", " ")).split()))]


def forms(word: str) -> Words:
    """A folded word and what is left without its prefixes and endings, the fullest first."""
    return english.forms(word) if word.isascii() else arabic.forms(word)


def stem(word: str) -> str:
    """One form for all inflections of a folded word."""
    return english.stem(word) if word.isascii() else arabic.stem(word)


def base(word: str) -> str:
    """A folded word without its endings."""
    return english.stem(word) if word.isascii() else arabic.base(word)


def _without_article(words: Words) -> Words:
    return tuple(word[2:] if word.startswith("ال") and len(word) > 4 else word for word in words)


def _meanings() -> dict[Words, str]:
    """From words and expressions to what they mean: their group's first, as `=متي`."""
    found: dict[Words, str] = {}
    for line in _TOML["same"]:
        members = _members(line)
        for words in members:
            found.setdefault(words, "=" + "".join(members[0]))
    return found


_MEANINGS = _meanings()
_SINGLE: dict[str, str] = {words[0]: meaning for words, meaning in _MEANINGS.items() if len(words) == 1}
_BASES: dict[str, str] = {}
for _word, _meaning in _SINGLE.items():
    if len(base(_word)) >= 3:
        _BASES.setdefault(base(_word), _meaning)
_EXPRESSIONS: Mapping[Words, str] = {
    _without_article(words): meaning for words, meaning in _MEANINGS.items() if len(words) > 1
}
_FILLER = frozenset(words for line in _TOML["filler"].splitlines() for words in _members(line))
_FILLER_STEMS = frozenset(stem(words[0]) for words in _FILLER if len(words) == 1 and len(words[0]) > 3)
_POLITE = frozenset(words for line in _TOML["polite"].splitlines() for words in _members(line))
_COMMON = frozenset(words[0] for line in _TOML["common"].splitlines() for words in _members(line) if len(words) == 1)
_COMMON_BASES = frozenset(base(word) for word in _COMMON if len(base(word)) >= 3)
_COMMON_MEANINGS = frozenset(filter(None, map(_SINGLE.get, _COMMON)))
LONGEST = max(len(words) for words in (*_EXPRESSIONS, *_FILLER, *_POLITE))
"""Words of the longest expression."""


@lru_cache(maxsize=32768)
def meaning(word: str) -> str:
    """`=` and the head of the group that a folded word belongs to, in any inflection; empty for none."""
    if word in _SINGLE:
        return _SINGLE[word]
    if is_filler(word) or word in _COMMON:
        return ""
    if word[0] in "وف" and word[1:] in _SINGLE:
        return _SINGLE[word[1:]]
    for form in forms(word):
        if form in _SINGLE and (len(form) >= 3 or form == word):
            return _SINGLE[form]
    return next((_BASES[form] for form in (*forms(word), base(word)) if form in _BASES), "")


def expression(words: Words) -> str | None:
    """What several words mean together; empty where nothing, None where they are no expression."""
    if found := _EXPRESSIONS.get(_without_article(words)):
        return found
    return "" if words in _POLITE or words in _FILLER else None


@lru_cache(maxsize=32768)
def is_filler(word: str) -> bool:
    """Whether a folded word asks for nothing."""
    if (word,) in _FILLER:
        return True
    return not word.isascii() and word[0] in "وفبل" and len(word) > 2 and (word[1:],) in _FILLER


@lru_cache(maxsize=32768)
def is_said_for(word: str) -> bool:
    """Whether a folded word is an inflection of one that asks for nothing."""
    return is_filler(word) or (not word.isascii() and len(stem(word)) >= 3 and stem(word) in _FILLER_STEMS)


def is_polite(word: str) -> bool:
    """Whether a folded word is only politeness."""
    return (word,) in _POLITE


@lru_cache(maxsize=32768)
def is_common(word: str) -> bool:
    """Whether a folded word is one of every day, which tells little about what is asked."""
    found = meaning(word)
    if found:
        return found in _COMMON_MEANINGS
    return any(form in _COMMON or form in _COMMON_BASES for form in (*forms(word), base(word)))


def _pairs(lines: Iterable[str]) -> dict[str, Words]:
    table: dict[str, Words] = {}
    for line in lines:
        first, *others = [_MEANINGS.get(words, "") or meaning(words[0]) for words in _members(line)]
        table[first] = tuple(filter(None, others))
    return table


ALSO: Mapping[str, Words] = _pairs(_TOML["also"])
"""What a meaning implies."""
ASKING: frozenset[str] = frozenset(filter(None, (meaning(w[0]) or expression(w) for w in _members(_TOML["asking"]))))
"""Meanings that say how, not what, is asked."""
EVERY_WORD: Mapping[str, str] = _SINGLE
"""Every single word of the groups with its meaning."""
