"""One spelling for what people write in many ways, beyond what `core.text.fold` folds.

Dialect writers put ت or س for ث, د or ز for ذ, ض for ظ and the other way about, and a glottal stop for ق; see Habash,
Diab and Rambow, "Conventional Orthography for Dialectal Arabic" (2012).
"""

from __future__ import annotations

import re
from itertools import product

from core.text import fold

_SEATED = str.maketrans({"گ": "ق", "ڨ": "ق", "ڤ": "ف", "پ": "ب", "چ": "ك", "ژ": "ز"})
_FINAL_HAMZA = re.compile("يء")
_DRAWN = re.compile(r"([^\W\d_])\1{2,}")
_DOUBLE = re.compile("([اوي])\\1")
_PARTICLE = re.compile("[وف](ما|لا|لم|لن|مش|مو|مب|هل|كم|انا|احنا|نحن|لكن|بس|متي|كيف|ليس|لست|غير|بدون|محد|محدش|اذا|لو)")
"""Particles that a conjunction is written together with."""
_ALSO = {"ث": "ثتس", "ذ": "ذدز", "ظ": "ظضز", "ض": "ضظ"}
_LEAST = 4
"""Letters that an Arabic word has at least where another spelling of it is looked for: shorter ones would collide."""


def folded(word: str) -> str:
    """The word in the one spelling; empty where nothing of a word is left."""
    return fold(_FINAL_HAMZA.sub("يي", word.translate(_SEATED))).replace(" ", "")


def readings(word: str) -> frozenset[str]:
    """What a written word may stand for: drawn-out letters read as one (`زعلاااان`) or as two (`gooood`)."""
    found = {folded(word), folded(_DRAWN.sub(r"\1\1", word))}
    found |= {_DOUBLE.sub(r"\1", reading) for reading in found}
    found |= {joined.group(1) for joined in map(_PARTICLE.fullmatch, found) if joined}
    return frozenset(found - {""})


def is_drawn(word: str) -> bool:
    """Whether a letter stands three times or more in a row."""
    return _DRAWN.search(word) is not None


def spellings(word: str) -> frozenset[str]:
    """The folded word with every spelling that a dialect gives it."""
    plain = folded(word)
    if len(plain) < _LEAST or not "\u0621" <= plain[0] <= "\u064a":
        return frozenset({plain})
    choices = (_ALSO.get(letter, letter) for letter in plain)
    found = {"".join(letters) for letters in product(*choices)}
    return frozenset(found | {_glottal(form) for form in found})


def _glottal(word: str) -> str:
    """ق as the stop that it is in Cairo and Damascus: `أرف` for `قرف`, `مئرف` for `مقرف`."""
    return ("ا" if word.startswith("ق") else word[0]) + word[1:-1].replace("ق", "ي") + word[-1]
