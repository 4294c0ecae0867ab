"""Vowel marks for Arabic, as a voice needs them. Imported in the host alone."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from core.text import is_diacritised
from worker.engines.tts.espeak.endings import ended
from worker.engines.tts.espeak.readings import Word, read, read_pair
from worker.engines.tts.espeak.script import (
    FATHA,
    FATHATAN,
    PAUSES,
    SHORT,
    TANWIN,
    WORD,
    Letter,
    bare,
    joined,
    letters,
)
from worker.engines.tts.espeak.vowels import Guess, Vowels

_BEFORE_PAUSE = re.compile(f"({WORD.pattern})(?=[\\s\"'«»]*(?:[{re.escape(PAUSES)}]|$))")
_ALWAYS = frozenset(("هو", "هي", "وهو", "وهي", "فهو", "فهي"))


class Tashkeel:
    """Text without vowel marks to text as it is said: what two models guess, words whose reading is known, endings by
    rule, and pausal forms."""

    def __init__(self) -> None:
        self._vowels = Vowels()

    def __call__(self, text: str) -> str:
        """The text with its vowels, those before a pause as they are spoken; a diacritised text keeps its own."""
        text = unicodedata.normalize("NFC", text)
        if not is_diacritised(text):
            text = "".join(_marked(self._vowels(text)))
        return pausal(text)


def pausal(text: str) -> str:
    """Before a pause Arabic drops final short vowels, says ta marbuta as -a and tanwin fath as a long a (waqf;
    Ryding, "A Reference Grammar of Modern Standard Arabic", 2.9)."""
    return _BEFORE_PAUSE.sub(lambda word: _paused(word[1]), text)


def _paused(word: str) -> str:
    said = letters(word)
    last, before = said[-1], said[-2] if len(said) > 1 else said[-1]
    if last.base == "ة":
        return joined([*said[:-1], Letter("ه")] if before.base in "اآ" else said[:-1])
    if last.base in "اى" and FATHATAN in (last.vowel, before.vowel):
        return joined([*said[:-2], before.with_vowel(FATHA)]) + ("ا" if last.base == "ا" else "ى")
    if last.vowel == FATHATAN:
        return joined([*said[:-1], last.with_vowel(FATHA)]) + "ا"
    if bare(word) in _ALWAYS or last.vowel not in (*SHORT, *TANWIN):
        return word
    return joined([*said[:-1], last.with_vowel("")])


def _marked(guesses: list[Guess]) -> Iterator[str]:
    """The text in pieces; words are read together from pause to pause."""
    line: list[Word] = []
    gaps: list[str] = []
    opening = True
    for piece in _pieces(guesses):
        if isinstance(piece, Word):
            line.append(piece)
            gaps.append("")
        elif line and piece.isspace():
            gaps[-1] = piece
        else:
            yield from _said(line, gaps, opening)
            opening = opening and not line
            line, gaps = [], []
            yield piece
    yield from _said(line, gaps, opening)


def _pieces(guesses: list[Guess]) -> Iterator[Word | str]:
    text = "".join(guess.letter.base for guess in guesses)
    start = 0
    for match in WORD.finditer(text):
        if match.start() > start:
            yield text[start : match.start()]
        word = guesses[match.start() : match.end()]
        yield Word(tuple(guess.letter for guess in word), word[-1].sure, None, tuple(guess.sure for guess in word))
        start = match.end()
    if start < len(text):
        yield text[start:]


def _said(line: list[Word], gaps: list[str], opening: bool) -> Iterator[str]:
    for word, gap in zip(ended(_known(line), opening), gaps, strict=True):
        yield f"{word}{gap}"


def _known(line: list[Word]) -> list[Word]:
    found: list[Word] = []
    index = 0
    while index < len(line):
        pair = read_pair(line[index], line[index + 1]) if index + 1 < len(line) else None
        found += pair or [read(line[index])]
        index += 2 if pair else 1
    return found
