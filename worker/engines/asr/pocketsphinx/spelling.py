"""Pronunciations of the words that the dictionary lacks."""

from __future__ import annotations

import re
from collections.abc import Mapping

_GRAPHEMES: Mapping[str, str] = {
    "tion": "SH AH N", "igh": "AY", "tch": "CH", "dge": "JH",
    "ch": "CH", "sh": "SH", "th": "TH", "ph": "F", "ck": "K", "ng": "NG", "qu": "K W", "wh": "W", "kh": "K", "gh": "G",
    "ee": "IY", "ea": "IY", "oo": "UW", "ou": "AW", "ow": "OW", "ai": "EY", "ay": "EY", "oa": "OW", "er": "ER",
    "ar": "AA R",
    "a": "AE", "b": "B", "c": "K", "d": "D", "e": "EH", "f": "F", "g": "G", "h": "HH", "i": "IH", "j": "JH", "k": "K",
    "l": "L", "m": "M", "n": "N", "o": "AA", "p": "P", "q": "K", "r": "R", "s": "S", "t": "T", "u": "AH", "v": "V",
    "w": "W", "x": "K S", "y": "IY", "z": "Z",
}  # fmt: skip
_GRAPHEME = re.compile("|".join(sorted(_GRAPHEMES, key=len, reverse=True)))


def spelt_out(word: str) -> str:
    """A pronunciation by letters, for a name that no dictionary has; ARPAbet phones of the model."""
    return " ".join(_GRAPHEMES[match] for match in _GRAPHEME.findall(word))
