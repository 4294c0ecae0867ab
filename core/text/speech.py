"""What a voice can read aloud: text without markup, pictures and controls, its figures written as they are said."""

from __future__ import annotations

import re
import unicodedata

from core.text.numbers import say_numbers

_LINK = re.compile(r"!?\[([^\]]*)\]\([^)\s]*\)")
_URL = re.compile(r"(?:https?://|www\.)([^\s/،؛)]+)\S*", re.IGNORECASE)
_FENCE = re.compile(r"```\w*")
_LINE_START = re.compile(r"^[ \t]*(?:#{1,6}[ \t]+|>[ \t]?|[-*+•][ \t]+)", re.MULTILINE)
_MARKUP = re.compile(r"[*`~|]+|(?<!\w)_+|_+(?!\w)")
_BLANKS = re.compile(r"\s+")
_BEFORE_POINT = re.compile(r"\s+(?=[.,!?،؛؟])")
_UNSPOKEN = {"Cf", "Co", "Cs", "Cn", "Cc", "So", "Sk"}
_KEPT = {"\n", "\t", "\u200d", "°", "№"}
_VARIATION = re.compile("[\ufe00-\ufe0f\u20e3\u200d]")
_PUNCTUATION = str.maketrans({"“": '"', "”": '"', "«": '"', "»": '"', "—": ",", "–": "-", "ـ": None, "…": "."})


def speakable(text: str, language: str) -> str:
    """The text as a voice of this language (`ar`, `en`) should get it, on one line; empty where nothing can be said."""
    spoken = say_numbers(_plain(text), language)
    spoken = _BEFORE_POINT.sub("", _BLANKS.sub(" ", spoken)).strip()
    return spoken if any(char.isalnum() for char in spoken) else ""


def _plain(text: str) -> str:
    """Without markdown, links' addresses, emoji, bidi controls and tatweel; typographic marks made simple."""
    text = _LINK.sub(r"\1", unicodedata.normalize("NFC", text))
    text = _URL.sub(r"\1", _FENCE.sub(" ", text))
    text = _MARKUP.sub(" ", _LINE_START.sub("", text))
    text = _VARIATION.sub("", text.translate(_PUNCTUATION))
    return "".join(char if char in _KEPT or unicodedata.category(char) not in _UNSPOKEN else " " for char in text)
