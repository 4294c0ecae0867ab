"""What a voice can read aloud: text without markup, pictures and controls, everything in it written as it is said."""

from __future__ import annotations

import re

from core.text import arabic, english
from core.text.markup import plain

_UNSPOKEN = re.compile(r"[^\w\s.,!?،؛؟:;'\"()\-\u0300-\u036f\u0610-\u061a\u064b-\u065f\u0670]|_")
_BLANKS = re.compile(r"\s+")
_BEFORE_POINT = re.compile(r"\s+(?=[.,!?:;،؛؟)])")
_LEADING = re.compile(r"\A[\s\-.,!?،؛؟:;)]+")
_STOPS = re.compile(r"([.,،؛;:])(?:\s*\1)+")

_MOST_PASSES = 4
"""What one pass brings to light (a word that markup had hidden) is said by the next; two are nearly always enough."""


def speakable(text: str, language: str) -> str:
    """The text as a voice of this language (`ar`, else English) should get it, on one line and without figures; empty
    where nothing can be said. What is spoken already stays as it is."""
    spoken = _said(text, language)
    for _ in range(_MOST_PASSES):
        said, spoken = spoken, _said(spoken, language)
        if said == spoken:
            break
    return spoken


def _said(text: str, language: str) -> str:
    say = arabic.in_words if language == "ar" else english.in_words
    spoken = _UNSPOKEN.sub(" ", say(plain(text)).replace("ـ", ""))
    spoken = _STOPS.sub(r"\1", _BEFORE_POINT.sub("", _BLANKS.sub(" ", spoken)))
    spoken = _LEADING.sub("", spoken).strip()
    return spoken if any(char.isalnum() for char in spoken) else ""
