"""Arabic words without what is attached to them.

Light stemming after Larkey, Ballesteros and Connell, "Light stemming for Arabic information retrieval" (2007), widened
by the attached words of the Gulf's, Egypt's and the Levant's speech: `عال` (on the), `هال` (this), `ب` and `م` before
the present, `ح`, `ه` and `س` before the future, and `ش` after what is denied. Words come folded (`core.text.fold`).
"""

from __future__ import annotations

import re
from functools import lru_cache

_FEWEST_LETTERS = 3
_ARTICLE = re.compile(r"^(?:[وف]?(?:ال|لل|بال|كال|عال|هال|فال|شال)|ول)(?=\w{3})")
_JOINED_ARTICLE = re.compile(r"^(?:[وف]?(?:لل|بال|كال|عال|هال|فال|ال))(?=\w{2})")
_AL = re.compile(r"^ال(?=\w{3})")
_PARTICLE = re.compile(r"^[وفبلك](?=\w{3})")
_TENSE = re.compile(r"^(?:[بحهسم]|ما)?[يتنا](?=\w{3})")
_FUTURE = re.compile(r"^(?:حا|ها|ما|[حهبم])(?=\w{3})")
_DENIED = re.compile(r"(?<=\w{3})ش$")
_OWN = re.compile(r"(?<=\w{3})(?:ها|هم|هن|كم|كن|كو|نا|ني|لي|لكم|لنا|ك|ه|ي)$")
_ENDING = re.compile(r"(?<=\w{3})(?:تين|تان|ات|ون|ين|ان|يه|وا|يا|ه|ت|ا|و|ي)$")
_WEAK = re.compile(r"[اوي]")
_CONFUSED = str.maketrans("ثذظ", "تدض")
"""Letters that the dialects pronounce, and many people write, as another."""


@lru_cache(maxsize=16384)
def forms(word: str) -> tuple[str, ...]:
    """The word and what is left of it without prefixes and endings, the fullest first; each of three letters at
    least, but for the word itself."""
    found = {word: None}
    for step in (_without_prefixes, _without_endings):
        for form in tuple(found):
            found.update(dict.fromkeys(step(form)))
    return tuple(sorted(found, key=lambda form: -len(form)))


def _without_prefixes(word: str) -> list[str]:
    heads = [word, _ARTICLE.sub("", word), _PARTICLE.sub("", word)]
    heads.append(_PARTICLE.sub("", heads[2]))
    return [*heads, *(cut.sub("", head) for head in (word, heads[2]) for cut in (_TENSE, _FUTURE))]


def _without_endings(word: str) -> list[str]:
    said = _DENIED.sub("", word)
    return [cut.sub("", _OWN.sub("", form)) for form in (word, said) for cut in (_ENDING, _OWN)] + [
        *(cut.sub("", form) for form in (word, said) for cut in (_ENDING, _OWN)),
        said,
    ]


@lru_cache(maxsize=16384)
def names_in(word: str) -> tuple[str, ...]:
    """What a word names when a preposition or `and` is written together with it: `لجدة`, `عالدمام`, `وبالرياض`."""
    bare = _PARTICLE.sub("", word)
    articled = [_JOINED_ARTICLE.sub("ال", form) for form in (word, bare)]
    return tuple(
        dict.fromkeys((word, *articled, bare, _PARTICLE.sub("", bare), *(_AL.sub("", form) for form in articled)))
    )


@lru_cache(maxsize=16384)
def stem(word: str) -> str:
    """One form for the inflections of a word that no table knows."""
    bare = _ARTICLE.sub("", word)
    if bare == word:
        bare = _TENSE.sub("", _PARTICLE.sub("", word)) if len(word) > 4 else word
    return _ENDING.sub("", _OWN.sub("", _DENIED.sub("", bare)))


@lru_cache(maxsize=16384)
def base(word: str) -> str:
    """The word without its endings: what is in front may be its own."""
    return _ENDING.sub("", _OWN.sub("", word))


@lru_cache(maxsize=16384)
def skeleton(word: str) -> str:
    """The consonants, which broken plurals and derived words keep (`تذكرة`, `تذاكر`); empty for fewer than three."""
    left = _WEAK.sub("", stem(word)).translate(_CONFUSED)
    return left if len(left) >= _FEWEST_LETTERS else ""


def plain(word: str) -> str:
    """With one letter for those that are confused in writing."""
    return word.translate(_CONFUSED)
