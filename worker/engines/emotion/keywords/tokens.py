"""A text as the words, signs and breaks that a feeling shows in."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

from core.text import without_marks
from worker.engines.emotion.keywords.spelling import is_drawn, readings
from worker.engines.emotion.keywords.stems import stems, undenied, verbs

_LONGEST_WORD = 40
_LEAST_SHOUTED = 3
_LEAST_BEGINNING = 3
_WORD = r"[^\W_]+(?:['’ʼ`\-][^\W_]+)*"
_BREAK = r"[.!?؟،,;؛:…\n()\"«»\[\]–—]+"
_LETTERS_END = re.compile(r"[^\W_]$")


@dataclass(frozen=True, slots=True)
class Form:
    """A word as it may be looked up, all folded: as it stands, as a form of another word, as an Arabic present, and by
    what it begins with."""

    whole: frozenset[str]
    stems: frozenset[str]
    verbs: frozenset[str]
    beginnings: frozenset[str]


@dataclass(frozen=True, slots=True)
class Token:
    """A word or a sign; `denied`: the word inside an Arabic denial (`زعلت` in `مزعلتش`)."""

    text: str
    form: Form
    denied: Form | None
    part: int
    """Which part between marks of any kind it stands in, from 0; words of one part belong together."""
    sentence: int
    shouted: bool
    drawn: bool
    sign: bool


@dataclass(frozen=True, slots=True)
class Tokens:
    tokens: tuple[Token, ...]
    ends: tuple[str, ...]
    """The marks that end each sentence, in order: `?`, `!!`, or nothing."""


def tokenizer(signs: Collection[str]) -> re.Pattern[str]:
    """What cuts a text, given the emoji and emoticons that are known."""
    return re.compile(
        f"(?P<sign>{'|'.join(_of_sign(sign) for sign in sorted(signs, key=len, reverse=True))})"
        f"|(?P<word>{_WORD})|(?P<mark>{_BREAK})"
    )


def tokens(text: str, cut: re.Pattern[str]) -> Tokens:
    """The text, cut; never raises."""
    plain = without_marks("".join(_plain(char) for char in unicodedata.normalize("NFC", text)))
    found: list[Token] = []
    ends = [""]
    part = 0
    for match in cut.finditer(plain):
        piece = match.group()
        if match.lastgroup == "mark":
            part += 1
            ends = _ended(ends, piece, bool(found) and found[-1].sentence == len(ends) - 1)
        elif match.lastgroup == "sign":
            found.append(_token(piece, part + 1, len(ends) - 1, sign=True))
            part += 2
        else:
            found.append(_token(piece, part, len(ends) - 1, sign=False))
    return Tokens(tuple(found), tuple(ends))


def _ended(ends: list[str], mark: str, any_words: bool) -> list[str]:
    """A new sentence after a full stop and the like; the mark belongs to the sentence before."""
    stops = "".join("?" if char == "؟" else char for char in mark if char in ".!?؟…\n")
    if not stops:
        return ends
    if not any_words and len(ends) > 1:
        return [*ends[:-2], ends[-2] + stops, ends[-1]]
    return [*ends[:-1], stops, ""]


def _of_sign(sign: str) -> str:
    """An emoticon ends where it ends: `:D` is none in `:Dubai`, `:/` none in `://`."""
    if sign.isascii():
        before = r"(?<![^\W_])" if _LETTERS_END.search(sign[0]) else r"(?<!\d)"
        return before + re.escape(sign) + r"(?![^\W_]|/)"
    return re.escape(sign.replace("\ufe0f", ""))


def _plain(char: str) -> str:
    """Without what is not seen: variation selectors, joiners, direction marks."""
    return "" if unicodedata.category(char) == "Cf" or "\ufe00" <= char <= "\ufe0f" else char


def _token(piece: str, part: int, sentence: int, *, sign: bool) -> Token:
    form, denied = _sign(piece) if sign else _word(piece[:_LONGEST_WORD])
    shouted = not sign and len(piece) >= _LEAST_SHOUTED and piece.isupper() and piece.isascii()
    return Token(piece, form, denied, part, sentence, shouted, not sign and is_drawn(piece), sign)


def _sign(piece: str) -> tuple[Form, None]:
    alone = frozenset({piece})
    return Form(alone, frozenset(), frozenset(), frozenset()), None


@lru_cache(maxsize=8192)
def _word(piece: str) -> tuple[Form, Form | None]:
    whole = readings(piece)
    inner = frozenset(word for word in map(undenied, whole) if word)
    return _form(whole), _form(inner) if inner else None


def _form(whole: frozenset[str]) -> Form:
    return Form(
        whole,
        frozenset(stem for word in whole for stem in stems(word)),
        frozenset(stem for word in whole for stem in verbs(word)),
        frozenset(word[:cut] for word in whole for cut in range(_LEAST_BEGINNING, len(word) + 1)),
    )
