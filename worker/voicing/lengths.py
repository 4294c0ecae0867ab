"""How long a text may take to say."""

from __future__ import annotations

import re
from dataclasses import dataclass

from core.text import speakable

_WORD = re.compile(r"[^\W_]+")
_SPELLED = re.compile(r"[A-Z]{2,5}\Z")
_PAUSES = re.compile(r"[.,;:!?،؛؟]+(?=\s)|-(?=\s)")

_SLOWEST_S = {"arabic": 0.22, "other": 0.13, "syllables": 0.55, "spelled": 0.6, "figure": 0.9}
_QUICKEST_S = {"arabic": 0.04, "other": 0.033, "syllables": 0.09, "spelled": 0.08, "figure": 0.08}
"""Seconds a letter. eSpeak at 90 to 320 words a minute takes 0.05 to 0.23 for an Arabic letter and 0.035 to 0.16 for a
Latin one, at its usual pace 0.13 and 0.08; Flite 0.07; a neural voice (VITS) in English 0.065, drawn out as far as it
goes 0.11. Arabic by neural voices: 9 to 13 letters a second."""
_PAUSE_S = 0.7
"""The longest pause at a mark within the text."""
_MORE_S, _LESS_S = 3.0, 0.15
"""Silence before and after, a breath, and what a word of one syllable takes more or less than its letters tell."""
_SHORTEST_S = 0.02


@dataclass(frozen=True)
class Lengths:
    """The least and the most seconds that a text may plausibly take: by any voice, in any tone, silence before and
    after it included. Three times the usual length is more than the most, but for a word or two."""

    least_s: float
    most_s: float

    @classmethod
    def of(cls, text: str, language: str) -> Lengths:
        """Of a text as it was written. language: BCP 47 primary tag. A text with nothing to say may be silence."""
        spoken = speakable(text, language)
        if not spoken:
            return cls(0.0, _MORE_S)
        counts = _counted(spoken)
        least = sum(_QUICKEST_S[kind] * count for kind, count in counts.items()) - _LESS_S
        most = sum(_SLOWEST_S[kind] * count for kind, count in counts.items()) + _MORE_S
        return cls(max(least, _SHORTEST_S), most + _PAUSE_S * len(_PAUSES.findall(spoken)))


def _counted(spoken: str) -> dict[str, int]:
    """How many letters of each kind there are; vowel signs are none."""
    counts = dict.fromkeys(_SLOWEST_S, 0)
    for word in _WORD.findall(spoken):
        for letter in word:
            counts["spelled" if _SPELLED.match(word) else _kind(letter)] += 1
    return counts


def _kind(letter: str) -> str:
    if letter.isdigit():
        return "figure"
    if "\u0600" <= letter <= "\u08ff" or "\ufb50" <= letter <= "\ufefc":
        return "arabic"
    return "syllables" if "\u3040" <= letter <= "\u9fff" or "\uac00" <= letter <= "\ud7a3" else "other"
