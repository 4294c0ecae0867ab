"""IPA phonemes, of Arabic and English as eSpeak NG and other sources write them, to mouth shapes and their times.

eSpeak NG writes ص and ط as dental s̪ and t̪, so both ways of marking an emphatic are read; it leaves long Arabic vowels
unmarked (their time tells) and says a doubled consonant twice.
"""

from __future__ import annotations

import unicodedata

import numpy as np

from worker.engines.video.puppet.mouth.visemes import VISEMES, Segment, Viseme

_LETTERS: dict[str, str] = {
    **dict.fromkeys("pbɓʙɸβ", "pb"),
    **dict.fromkeys("mɱ", "m"),
    **dict.fromkeys("fvʋⱱ", "fv"),
    **dict.fromkeys("θð", "th"),
    **dict.fromkeys("tdʈɖɗ", "td"),
    **dict.fromkeys("nɳɲ", "n"),
    **dict.fromkeys("lɭʎɬɮɺ", "l"),
    **dict.fromkeys("ɫ", "ll"),
    **dict.fromkeys("rɾɽ", "rr"),
    **dict.fromkeys("ɹɻ", "r"),
    **dict.fromkeys("sz", "sz"),
    **dict.fromkeys("ʃʒɕʑʂʐ", "sh"),
    **dict.fromkeys("ʧʤ", "ch"),
    **dict.fromkeys("kgɡŋcɟ", "kg"),
    **dict.fromkeys("xɣχʁɰʀ", "kh"),
    **dict.fromkeys("qɢɴ", "q"),
    **dict.fromkeys("ħʕʜʢ", "hh"),
    **dict.fromkeys("hɦʔʡ", "h"),
    **dict.fromkeys("wʍɥ", "w"),
    **dict.fromkeys("jʝ", "j"),
    **dict.fromkeys("iy", "ii"),
    **dict.fromkeys("ɪɨᵻʏɯ", "ih"),
    **dict.fromkeys("eɛœø", "ee"),
    **dict.fromkeys("æɶ", "ae"),
    **dict.fromkeys("aɑ", "aa"),
    **dict.fromkeys("ʌɜɝɐɞ", "ah"),
    **dict.fromkeys("əɚɘɤᵊɵ", "uh"),
    **dict.fromkeys("ɒ", "ow"),
    **dict.fromkeys("oɔ", "oo"),
    **dict.fromkeys("ʊᵿ", "ou"),
    **dict.fromkeys("uʉ", "uu"),
}

_AFFRICATES = {"tʃ": "ch", "dʒ": "ch", "ts": "sz", "dz": "sz", "tɕ": "ch", "dʑ": "ch"}

_EMPHATIC = {"sz": "ss", "td": "tt", "th": "dh", "l": "ll"}

_EMPHASIS = "ˤˁˠ\u0334\u032a"
"""Pharyngealised, velarised, both at once (a tilde through the letter), and dental as eSpeak NG has it."""

_LENGTH = "ːˑ"

NUCLEUS = 1.2
"""How much longer the first part of a diphthong lasts than each that follows."""


def visemes(ipa: str) -> list[Viseme]:
    """The shapes of one phoneme in order: one, or more for a diphthong. Unknown letters and marks are passed over;
    nothing known at all is a schwa, an empty text or a pause (`_`) is rest."""
    letters = [letter for letter in unicodedata.normalize("NFD", ipa) if letter not in "ˈˌ_:;|(). \u0361\u035c"]
    if all(_is_mark(letter) for letter in letters):
        return [VISEMES["rest"]]
    names: list[str] = []
    for letter in letters:
        _read(letter, names)
    return [VISEMES[name] for name in _joined("".join(letters), names) or ["uh"]]


def _read(letter: str, names: list[str]) -> None:
    """Adds a letter's shape, or changes the last one by a mark of emphasis."""
    if letter in _EMPHASIS and names:
        names[-1] = _EMPHATIC.get(names[-1], names[-1])
    elif (name := _LETTERS.get(letter)) and names[-1:] != [name]:
        names.append(name)


def _joined(letters: str, names: list[str]) -> list[str]:
    """An affricate is one shape: its lips are ready before its stop."""
    affricate = _AFFRICATES.get(letters[:2])
    return [affricate, *names[2:]] if affricate else names


def _is_mark(letter: str) -> bool:
    return unicodedata.category(letter) in ("Mn", "Lm", "Sk") and letter not in _LETTERS


def segments(ipa: str, start: float, end: float, effort: float = 1.0) -> list[Segment]:
    """One phoneme's segments; effort: how far it opens the mouth, 1 as usual, 0.8 in a murmur, 1.2 in a loud voice."""
    shapes = visemes(ipa)
    stressed, long = ipa.startswith("ˈ"), any(mark in ipa for mark in _LENGTH)
    if len(shapes) == 1:
        return [Segment(shapes[0], start, end, stressed, effort, long)]
    part = (end - start) / (len(shapes) - 1 + NUCLEUS)
    edges = [start, *np.linspace(start + NUCLEUS * part, end, len(shapes)).tolist()]
    return [
        Segment(shape, edges[place], edges[place + 1], stressed and place == 0, effort, long and place == 0)
        for place, shape in enumerate(shapes)
    ]
