"""What VoxCPM2 is given to say: a text without anything that it would obey."""

from __future__ import annotations

import re
import unicodedata

from core.kinds import LANGUAGES
from core.text import speakable
from core.text.markup import plain

_MARK = re.compile(r"<\|[^<>|]{0,40}\|>|</?[a-z_]{1,20}>|<0x[0-9a-fA-F]{2}>")
"""Its tokenizer's own: `<|audio_start|>`, `</s>`, `<unk>`, bytes."""
_SHOUTED = re.compile(r"\b[A-Z]{6,}\b")
"""It reads capitals letter by letter; words of so many are loud, or said as words (UNESCO)."""
_COMMAS = re.compile(r"\s*[,،，、](?:\s*[,،，、])*\s*")
_BEFORE_MARK = re.compile(r"[,،，、] ?(?=[.!?؟؛;:。！？；：…])")
_BLANKS = re.compile(r"\s+")
_ENDS = " ,،，、"
_COMMA = {"ar": "، ", "zh": "，", "ja": "、"}
_JOINERS = "\u200c\u200d"
"""Invisible letters of the scripts of India and Persia."""
_WRITTEN = frozenset(("Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Nd", "Nl", "No", "Po", "Pi", "Pf", "Sc"))
_SIGNS = "-+°" + _JOINERS
_UNSAID = frozenset("*#\\†‡•※")


def said(text: str, language: str) -> str:
    """What of a text is said in the language; empty where nothing can be. Figures and signs are written as words in
    the languages that we know; in others VoxCPM2 reads them itself. Brackets, which would be taken for a style, become
    pauses."""
    unmarked = _SHOUTED.sub(lambda word: word[0].capitalize(), _MARK.sub(" ", text))
    spoken = speakable(unmarked, language) if language in LANGUAGES else _legible(plain(unmarked))
    return _apart(spoken, language) if any(char.isalnum() for char in spoken) else ""


def _legible(text: str) -> str:
    """Without pictures, controls and the signs of markup."""
    return _BLANKS.sub(" ", "".join(char if _is_legible(char) else " " for char in text)).strip()


def _is_legible(char: str) -> bool:
    kind = unicodedata.category(char)
    return (kind in _WRITTEN and char not in _UNSAID) or char in _SIGNS or kind in ("Ps", "Pe", "Pd")


def _apart(text: str, language: str) -> str:
    """Without brackets of any script, and without dashes that part words."""
    comma = _COMMA.get(language, ", ")
    open_text = "".join(comma if _parts(char) else char for char in text)
    if open_text == text:
        return text
    return _BEFORE_MARK.sub("", _COMMAS.sub(comma, open_text)).strip(_ENDS)


def _parts(char: str) -> bool:
    return unicodedata.category(char) in ("Ps", "Pe", "Pd") and char != "-"
