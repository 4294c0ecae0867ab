"""From a text to the words that tell what it asks: light stems, one word for those that mean the same."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

from rapidfuzz import fuzz, process

from core.catalogue import read_toml
from core.text import fold

Words = tuple[str, ...]

_LEAST_LETTERS = 5
_LEAST_LIKENESS = 83.0
"""Per cent: one slip in six letters (`tikcet` for `ticket`)."""

_ARABIC_PREFIX = re.compile(r"^(?:وال|بال|كال|فال|لل|ال|و(?=[^ا]{3}))(?=\w{3})")
_ARABIC_SUFFIX = re.compile(r"(?<=\w{3})(?:ها|هم|كم|نا|ات|ان|ون|ين|يه|ه|ي|ك|ا)$")
_ENGLISH_SUFFIX = re.compile(r"(?<=[a-z]{3})(?:ing|ies|es|ed|s|y|e)$")


@lru_cache(maxsize=4096)
def words_of(text: str) -> Words:
    """The stems of a text's words, in order; words of one meaning have one stem."""
    return tuple(_meaning(word) for word in fold(text).split())


def _meaning(word: str) -> str:
    root = stem(word)
    return _SAME.get(word) or _SAME.get(root) or _SAME.get(_misspelt(word)) or root


def _misspelt(word: str) -> str:
    """The nearest word of the table, empty where none is near."""
    if len(word) < _LEAST_LETTERS or is_filler(word):
        return ""
    near = process.extractOne(word, _SAME.keys(), scorer=fuzz.ratio, score_cutoff=_LEAST_LIKENESS)
    return near[0] if near else ""


def is_filler(word: str) -> bool:
    """Whether this word of `words_of` says nothing about what is asked."""
    return word in _FILLER


@lru_cache(maxsize=4096)
def stem(word: str) -> str:
    """The folded word without article, conjunction and ending (light10 for Arabic, plurals and verbs in English)."""
    if word.isascii():
        return _ENGLISH_SUFFIX.sub("", word)
    return _ARABIC_SUFFIX.sub("", _ARABIC_PREFIX.sub("", word))


def _same(groups: list[str]) -> dict[str, str]:
    table: dict[str, str] = {}
    for group in groups:
        first, *_ = members = fold(group).split()
        for word in members:
            table[word] = table[stem(word)] = stem(first)
    return table


_TABLE = read_toml(Path(__file__).with_name("words.toml"))
_SAME = _same(_TABLE["same"])
_FILLER = frozenset(form for word in fold(_TABLE["filler"]).split() for form in (word, stem(word))) - frozenset(_SAME)
