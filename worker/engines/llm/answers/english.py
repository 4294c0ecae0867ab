"""English words without their endings.

The suffixes of step 1 and the commonest of steps 2 to 4 in Porter, "An algorithm for suffix stripping" (1980); what is
left need not be a word, it is only the same for the forms of one.
"""

from __future__ import annotations

import re
from functools import lru_cache

_PLURAL = re.compile(r"(?<=[a-z]{2})(?:(?<=ss)es|(?<=[sxz])es|(?<=ch)es|(?<=sh)es|(?<=[^su])s)$")
_VERB = re.compile(r"(?<=[a-z]{3})(?:ing|ed)$")
_DOUBLE = re.compile(r"([bdfgmnprt])\1$")
_ADVERB = re.compile(r"(?<=[a-z]{4})ly$")
_DERIVED = re.compile(r"(?<=[a-z]{4})(?:ations?|ation|ments?|ness|ers?|able|ible|ance|ence|ions?|ive|al|ful|y|ie|e)$")


@lru_cache(maxsize=16384)
def stem(word: str) -> str:
    """The folded word's stem: `booking`, `booked` and `books` become `book`."""
    word = _PLURAL.sub("", word)
    verb = _VERB.sub("", word)
    if verb != word:
        word = _DOUBLE.sub(r"\1", verb)
    word = _ADVERB.sub("", word)
    return _DERIVED.sub("", word)


@lru_cache(maxsize=16384)
def forms(word: str) -> tuple[str, ...]:
    """The word, its singular or base, and its stem."""
    base = _DOUBLE.sub(r"\1", _VERB.sub("", word))
    return tuple(dict.fromkeys((word, _PLURAL.sub("", word), base, base + "e", stem(word))))
