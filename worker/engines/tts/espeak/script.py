"""Arabic letters with their marks, one by one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

FATHATAN, DAMMATAN, KASRATAN = "\u064b", "\u064c", "\u064d"
FATHA, DAMMA, KASRA, SHADDA, SUKUN, DAGGER = "\u064e", "\u064f", "\u0650", "\u0651", "\u0652", "\u0670"
TANWIN = (FATHATAN, DAMMATAN, KASRATAN)
SHORT = (FATHA, DAMMA, KASRA)
MARKS = "".join((*TANWIN, *SHORT, SHADDA, SUKUN, DAGGER))
SUN = frozenset("تثدذرزسشصضطظلن")

WORD = re.compile(f"[\u0621-\u063a\u0641-\u064a\u067e\u0686\u0698\u06a4\u06af{MARKS}]+")
"""A word of Arabic letters and marks; tatweel and digits stand outside."""
PAUSES = "،؛.!؟?,:;…\n—–()"
"""Marks at which eSpeak makes a pause, and those that we turn into one."""

_LETTER = re.compile(f"([^{MARKS}])([{MARKS}]*)")


@dataclass(frozen=True)
class Letter:
    """vowel: a short vowel, a tanwin, sukun, the dagger alif, or empty where none is written."""

    base: str
    vowel: str = ""
    doubled: bool = False

    def __str__(self) -> str:
        return self.base + SHADDA * self.doubled + self.vowel

    def with_vowel(self, vowel: str) -> Letter:
        return replace(self, vowel=vowel)


def letters(word: str) -> list[Letter]:
    """The letters of a word, whatever the order of its marks; of two vowels on a letter the last counts."""
    return [_letter(base, marks) for base, marks in _LETTER.findall(word)]


def joined(word: Iterable[Letter]) -> str:
    """The word with shadda before the vowel. Unicode's normal form has them the other way about, and that way eSpeak
    loses the vowel."""
    return "".join(map(str, word))


def bare(word: str) -> str:
    """The word without marks."""
    return "".join(char for char in word if char not in MARKS)


def _letter(base: str, marks: str) -> Letter:
    vowels = marks.replace(SHADDA, "")
    return Letter(base, vowels[-1:], SHADDA in marks)
