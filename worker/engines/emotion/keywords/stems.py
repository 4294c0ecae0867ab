"""Light stemming: a word without the beginnings and endings that do not change what it says.

Arabic after the light stemmer of Larkey, Ballesteros and Connell, "Light stemming for Arabic information retrieval"
(2007), with the verb beginnings of the dialects (b-, h-, ʿam); English endings after Porter (1980), step 1.
"""

from __future__ import annotations

import re
from functools import lru_cache

_ARABIC = re.compile("[\u0621-\u064a]")
_LEAST = 3
_LEAST_OF_A_VERB = 2
_BEGINNINGS = ("وبال", "وال", "فال", "بال", "كال", "ولل", "هال", "عال", "لل", "ال", "وب", "ول", "و", "ف", "ب", "ل", "ك")
_ENDINGS = re.compile(
    "تونا|توني|توكم|تكم|تني|تنا|تها|ينا|هما|كما|وني|ونا|وها|وكم|ات|ان|اه|ين|ون|يه|نه|ته|ني|نا|ها|هم|هن|كم|كن|كي|وا|تو|"
    "تي|تك|وه|يت|ه|ا|ي|ك|ت|و|ن"
)
_PERSONS = ("ا", "ي", "ن", "ت")
_BEFORE_A_VERB = tuple(
    f"{conjunction}{before}"
    for conjunction in ("", "و", "ف", "ل")
    for before in (
        *(
            tense + person
            for tense in ("", "ب", "بي", "م", "ه", "ها", "ح", "حا", "س", "عم", "عمب", "رح", "راح")
            for person in _PERSONS
        ),
        "ب",
        "عمب",
    )
)
_DENIED = re.compile("^(?:[وف]?ما?(?=.{3}))?(.{3,})ش$")
_ENGLISH = (
    "iness",
    "ness",
    "ingly",
    "edly",
    "ily",
    "ly",
    "ings",
    "ing",
    "iest",
    "est",
    "ier",
    "ied",
    "ies",
    "er",
    "ed",
    "es",
    "s",
    "d",
    "r",
)


def is_arabic(word: str) -> bool:
    return _ARABIC.search(word) is not None


@lru_cache(maxsize=8192)
def stems(word: str) -> frozenset[str]:
    """The folded word, and what it may be a form of."""
    return _arabic(word) if is_arabic(word) else _english(word)


@lru_cache(maxsize=8192)
def verbs(word: str) -> frozenset[str]:
    """What a folded Arabic word may be the present of: `خاف` of `بيخافون`; nothing for any other word."""
    if not is_arabic(word):
        return frozenset()
    found = set[str]()
    for before in _BEFORE_A_VERB:
        rest = word[len(before) :]
        if word.startswith(before) and len(rest) >= _LEAST_OF_A_VERB:
            found |= {rest, *_without_ending(rest, _LEAST_OF_A_VERB)}
    return frozenset(found)


def undenied(word: str) -> str | None:
    """The word without the denial around it: `زعلت` in `مزعلتش`, `عجبني` in `معجبنيش`; None where there is none."""
    match = _DENIED.match(word)
    return match.group(1) if match else None


def _arabic(word: str) -> frozenset[str]:
    bare = {word, *(word[len(start) :] for start in _BEGINNINGS if word.startswith(start))}
    bare = {form for form in bare if len(form) >= _LEAST} | {word}
    return frozenset(bare | {cut for form in bare for cut in _without_ending(form, _LEAST)})


def _without_ending(word: str, least: int) -> set[str]:
    return {word[:cut] for cut in range(max(least, len(word) - 4), len(word)) if _ENDINGS.fullmatch(word, cut)}


def _english(word: str) -> frozenset[str]:
    found = {word}
    for ending in _ENGLISH:
        stem = word[: -len(ending)]
        if not word.endswith(ending) or len(stem) < _LEAST - 1:
            continue
        if ending[0] == "i" and not ending.startswith("ing"):
            found.add(stem + "y")
        elif ending in ("d", "r"):
            found |= {stem} if stem.endswith("e") else set()
        else:
            found |= {stem, stem + "e"} if ending[0] in "aei" else {stem}
            found |= {stem[:-1]} if len(stem) > _LEAST and stem[-1] == stem[-2] else set()
    return frozenset(form for form in found if len(form) >= _LEAST or form == word)
