"""Words whose reading is known, with the prefixes and pronouns that are written on them."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from worker.engines.tts.espeak.script import (
    DAMMA,
    FATHA,
    KASRA,
    SHORT,
    SUKUN,
    SUN,
    TANWIN,
    Letter,
    joined,
    letters,
)
from worker.engines.tts.espeak.vowels import WRITTEN

WORDS: dict[str, str] = tomllib.loads(Path(__file__).with_name("words.toml").read_text(encoding="utf-8"))
_PREFIX = {"و": FATHA, "ف": FATHA, "ب": KASRA, "ك": FATHA, "ل": KASRA, "س": FATHA}
_PRONOUNS = {"ك": "كَ", "كم": "كُمْ", "ه": "هُ", "ها": "هَا", "هم": "هُمْ", "نا": "نَا", "ي": "ي"}
NO_ENDING = "ـ"
"""After a reading: no case ending is said, as after names and titles."""
DOUBT = 0.85
"""An ending less likely than this is in doubt."""
_HALF_SURE = 0.65
_SHORTEST_STEM = 3
_SHORT_STEMS = frozenset(("كل",))


@dataclass(frozen=True)
class Word:
    """letters: with their marks. sure: how likely the ending is, or the vowel before the pronoun; 1 where it is known.
    joint: the letter that a pronoun follows, None without one. each: how likely the marks of each letter are, where
    models guessed them."""

    letters: tuple[Letter, ...]
    sure: float = 1.0
    joint: int | None = None
    each: tuple[float, ...] = ()

    @property
    def bare(self) -> str:
        return "".join(letter.base for letter in self.letters)

    @property
    def last(self) -> Letter:
        return self.letters[-1]

    def ending(self, vowel: str, sure: float = 1.0) -> Word:
        """The word with this vowel at its end, or before its pronoun."""
        at = len(self.letters) - 1 if self.joint is None else self.joint
        marked = [*self.letters[:at], self.letters[at].with_vowel(vowel), *self.letters[at + 1 :]]
        return replace(self, letters=tuple(marked), sure=sure)

    def __str__(self) -> str:
        return joined(self.letters)


def read(word: Word) -> Word:
    """The word as the list has it, else as it came."""
    for prefix, article, stem in _splits(word.bare):
        for known, pronoun in ((stem, ""), *_stems(stem)):
            if known in WORDS:
                found = _built(word, prefix, article, letters(WORDS[known]), pronoun)
                return found if _as_written(word, found) else word
    return word


def _as_written(word: Word, found: Word) -> bool:
    """Whether the reading keeps every vowel that the writer has set."""
    written = zip(word.letters, word.each, found.letters, strict=False)
    return all(sure < WRITTEN or letter.vowel == known.vowel for letter, sure, known in written)


def read_pair(first: Word, second: Word) -> tuple[Word, Word] | None:
    """Two words that have a reading together; the first may follow و or ف."""
    for cut in (0, 1):
        if cut and first.bare[0] not in "وف":
            break
        if found := WORDS.get(f"{first.bare[cut:]} {second.bare}"):
            one, two = found.split()
            start = [_prefix(first.bare[0])] if cut else []
            return Word((*start, *_letters(one))), Word(_letters(two))
    return None


def _letters(reading: str) -> tuple[Letter, ...]:
    return tuple(letters(reading.removesuffix(NO_ENDING)))


def _splits(plain: str) -> Iterator[tuple[str, bool, str]]:
    """(prefixes, whether ال follows, stem), the fewest prefixes first."""
    yield "", False, plain
    for conjunction in ("", *(plain[:1] if plain[:1] in "وف" else "")):
        rest = plain[len(conjunction) :]
        if conjunction:
            yield conjunction, False, rest
        if rest.startswith("ال"):
            yield conjunction, True, rest[2:]
        for preposition in "بكل":
            after = rest[1:]
            if not rest.startswith(preposition):
                continue
            yield conjunction + preposition, False, after
            if after.startswith("ال") and preposition != "ل":
                yield conjunction + preposition, True, after[2:]
            if after.startswith("ل") and preposition == "ل":
                yield conjunction + preposition, True, after[1:]


def _stems(stem: str) -> Iterator[tuple[str, str]]:
    """(stem, pronoun) for each way of taking a pronoun off; ت before it may be a ta marbuta."""
    for pronoun in _PRONOUNS:
        head = stem.removesuffix(pronoun)
        if head == stem or (len(head) < _SHORTEST_STEM and head not in _SHORT_STEMS):
            continue
        if head.endswith("ت"):
            yield head[:-1] + "ة", pronoun
        if pronoun != "ي":
            yield head, pronoun


def _prefix(char: str) -> Letter:
    return Letter(char, _PREFIX[char])


def _built(word: Word, prefix: str, article: bool, stem: Sequence[Letter], pronoun: str) -> Word:
    start, stem = [_prefix(char) for char in prefix], list(stem)
    ended = stem[-1].base != NO_ENDING
    if not ended:
        stem.pop()
    if article:
        start += _article(prefix, stem)
    if not ended and not pronoun:
        return Word((*start, *stem))
    sure = _end(word, stem, len(start), bool(pronoun), article)
    if not pronoun:
        return Word((*start, *stem), sure)
    added = _pronoun(pronoun, stem)
    return Word((*start, *stem, *added), sure, len(start) + len(stem) - 1)


def _article(prefix: str, stem: list[Letter]) -> list[Letter]:
    """The letters of ال before the stem; a sun letter is doubled."""
    alif = [] if prefix.endswith("ل") else [Letter("ا")]
    if stem[0].base == "ا":
        return [*alif, Letter("ل", KASRA)]
    if stem[0].base not in SUN:
        return [*alif, Letter("ل", SUKUN)]
    stem[0] = replace(stem[0], doubled=True)
    return [*alif, Letter("ل")]


def _end(word: Word, stem: list[Letter], start: int, pronoun: bool, article: bool) -> float:
    """Gives the stem's last letter the ending that the models say where the list says none; how sure it is."""
    last, at = stem[-1], start + len(stem) - 1
    if pronoun and last.base == "ة":
        last = Letter("ت", last.vowel)
    vowel, sure = last.vowel, 1.0
    if not vowel and not _is_long(stem) and at < len(word.letters):
        guessed = word.letters[at].vowel
        vowel, sure = guessed if guessed in (*SHORT, *TANWIN) else "", word.each[at] if word.each else 1.0
    if (article or pronoun) and vowel in TANWIN:
        vowel = SHORT[TANWIN.index(vowel)]
    if pronoun and not _is_long(stem) and (not vowel or (vowel == FATHA and sure < _HALF_SURE)):
        vowel = DAMMA
    stem[-1] = replace(last, vowel=vowel)
    return sure


def _is_long(stem: Sequence[Letter]) -> bool:
    """Whether the last letter is a long vowel."""
    last, before = stem[-1], stem[-2] if len(stem) > 1 else Letter("")
    if last.base in "اىآ":
        return True
    return not last.doubled and not last.vowel and (last.base, before.vowel) in (("و", DAMMA), ("ي", KASRA))


def _pronoun(pronoun: str, stem: list[Letter]) -> list[Letter]:
    added = letters(_PRONOUNS[pronoun])
    if pronoun == "ي":
        stem[-1] = stem[-1].with_vowel(KASRA)
    if pronoun in ("ه", "هم") and (stem[-1].vowel == KASRA or stem[-1].base == "ي"):
        added[0] = added[0].with_vowel(KASRA)
    return added
