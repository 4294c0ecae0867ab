"""A message as the classifiers take it."""

from __future__ import annotations

import re
import unicodedata

from core.text.folding import without_marks

_JOINERS = "\u200c\u200d"
"""Inside Persian words, and inside emoji of several parts."""
_ADDRESS = re.compile(r"(?:https?://|www\.)\S+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+", re.IGNORECASE)
_MENTION = re.compile(r"(?<!\w)@\w+")
_DROPPED = ("Cc", "Cf", "Cs", "Co")


def prepared(text: str) -> str:
    """The words and emoji alone: no links, addresses or names of accounts, which express nothing; no vowel marks and
    tatweel, which the people whose messages the classifiers learnt from do not write; nothing invisible; single
    blanks. Case, punctuation, hashtags and drawn-out letters stay: they carry feeling. Empty if there is nothing in
    it to read: neither a letter nor a pictograph.
    """
    shown = "".join(map(_shown, unicodedata.normalize("NFC", text)))
    words = _MENTION.sub(" ", _ADDRESS.sub(" ", without_marks(shown)))
    return " ".join(words.split()) if any(map(_says_something, words)) else ""


def _shown(char: str) -> str:
    if char.isspace():
        return " "
    return "" if unicodedata.category(char) in _DROPPED and char not in _JOINERS else char


def _says_something(char: str) -> bool:
    category = unicodedata.category(char)
    return category.startswith("L") or category == "So"
