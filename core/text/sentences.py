"""Whole sentences out of text that comes in pieces, and the language of a text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

_ENDS = ".!?؟؛…"
_CLOSERS = "\"'»”’)]}*_"
_GLUED = r"(?<=[ء-ي\u064b-\u0652]{2})(?:\.+(?=[ء-ي]{2})|[!؟؛]+(?=[ء-ي]))"
_END = re.compile(rf"(?:\n+|[{_ENDS}]+[{re.escape(_CLOSERS)}]*(?=\s)|{_GLUED})")
"""A mark with a blank behind it; between Arabic words the blank may be missing."""
_ABBREVIATION = re.compile(
    r"(?:^|[\s(.])(?:mr|mrs|ms|dr|prof|st|vs|e\.g|i\.e|approx|tel|ext|max|min|incl|[^\W\d_])\.$", re.IGNORECASE
)
_PERHAPS = re.compile(r"(?:^|[\s(\d])(a\.m|p\.m|etc|inc|ltd|co|nos?)\.$", re.IGNORECASE)
"""What is an abbreviation only where the sentence goes on behind it."""
_LIST_NUMBER = re.compile(r"(?:^\s*|[:،,;]\s+)\d{1,2}\.$")
_SOFT_BREAK = re.compile(r"[،,;:](?=\s)")
_LETTERS = re.compile(r"[^\W\d_]+")
_ARABIC = re.compile("[\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff\ufb50-\ufdff\ufe70-\ufefc]")
_LATIN = re.compile("[A-Za-z\u00c0-\u024f]")

SOFT_LIMIT = 160
"""Characters after which a sentence is also cut at a comma (about ten seconds of speech), so that it can be spoken."""
HARD_LIMIT = 320
"""Characters after which it is cut between two words."""


class SentenceSplitter:
    """Feed it the pieces of a text; it gives each sentence as soon as it is whole, stripped of blanks."""

    def __init__(self) -> None:
        self._rest = ""

    @property
    def rest(self) -> str:
        """What is not yet a whole sentence."""
        return self._rest

    def feed(self, piece: str) -> list[str]:
        """The sentences that this piece made whole. The last one stays until what follows shows that it has ended."""
        self._rest += piece
        return [sentence for sentence in iter(self._next, None) if sentence]

    def flush(self) -> list[str]:
        """What is left at the text's end; the splitter can then be used again."""
        found = self.feed("\n")
        self._rest = ""
        return found

    def _next(self) -> str | None:
        """The next whole sentence (perhaps blank), taken from the rest; None where there is none yet."""
        end = _end_of_sentence(self._rest)
        if end is None:
            end = _forced_end(self._rest)
        if end is None:
            return None
        sentence, self._rest = self._rest[:end].strip(), self._rest[end:]
        return sentence if any(char.isalnum() for char in sentence) else ""


def sentences(text: str) -> list[str]:
    """All the sentences of a whole text."""
    splitter = SentenceSplitter()
    return [*splitter.feed(text), *splitter.flush()]


def _end_of_sentence(text: str) -> int | None:
    return next((match.end() for match in _ends(text) if match.end() <= HARD_LIMIT), None)


def _ends(text: str) -> Iterator[re.Match[str]]:
    for match in _END.finditer(text):
        if match[0].startswith("\n") or not _goes_on(text[: match.end()], text[match.end() :].lstrip(" \t")):
            yield match


def _goes_on(before: str, after: str) -> bool:
    """Whether the mark at the end of `before` ends no sentence, or may not, as long as nothing stands behind it."""
    if perhaps := _PERHAPS.search(before):
        if not after:
            return True
        return after[0].isdigit() if perhaps[1].lower() in ("no", "nos") else after[0].islower()
    return bool(_ABBREVIATION.search(before) or _LIST_NUMBER.search(before))


def _forced_end(text: str) -> int | None:
    """Where a sentence that grows too long is cut."""
    if len(text) <= SOFT_LIMIT:
        return None
    commas = [match.end() for match in _SOFT_BREAK.finditer(text, SOFT_LIMIT // 2, HARD_LIMIT)]
    if commas:
        return commas[-1]
    if len(text) <= HARD_LIMIT:
        return None
    blank = text.rfind(" ", SOFT_LIMIT, HARD_LIMIT)
    return blank + 1 if blank > 0 else HARD_LIMIT


def detect_language(text: str) -> Literal["ar", "en"] | None:
    """By its words' script: Arabic where at least as many are in Arabic letters as in Latin ones (a brand name
    in an Arabic question does not make it English); None for neither."""
    words = _LETTERS.findall(text)
    arabic = sum(1 for word in words if _ARABIC.match(word))
    latin = sum(1 for word in words if _LATIN.match(word))
    if not arabic and not latin:
        return None
    return "ar" if arabic >= latin else "en"
