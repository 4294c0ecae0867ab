"""Diacritised Arabic to eSpeak's phoneme codes.

eSpeak's own Arabic rules lose the vowel under a shadda that comes after it, say ال with its own vowel after every word
and triple the letters that it doubles; so they get phonemes, which eSpeak reads between `[[` and `]]`. Sounds by
Ryding, "A Reference Grammar of Modern Standard Arabic", ch. 2; stress by its 2.8.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from worker.engines.tts.espeak.script import (
    DAGGER,
    DAMMA,
    DAMMATAN,
    FATHA,
    FATHATAN,
    KASRA,
    KASRATAN,
    PAUSES,
    SHORT,
    SUKUN,
    SUN,
    TANWIN,
    WORD,
    Letter,
    bare,
    letters,
)
from worker.engines.tts.espeak.stress import BOUNDARY, stressed

_CONSONANTS = {
    "ء": "?", "أ": "?", "إ": "?", "ؤ": "?", "ئ": "?", "ب": "b", "ت": "t", "ة": "t", "ث": "T", "ج": "dZ", "ح": "H",
    "خ": "X", "د": "d", "ذ": "D", "ر": "R", "ز": "z", "س": "s", "ش": "S", "ص": "s[", "ض": "dH", "ط": "t[", "ظ": "Z",
    "ع": "A", "غ": "gH", "ف": "f", "ق": "q", "ك": "k", "ل": "l", "م": "m", "ن": "n", "ه": "h", "و": "w", "ي": "j",
    "پ": "p", "چ": "tS", "ڤ": "v", "گ": "g", "ژ": "Z",
}  # fmt: skip
_VOWELS = {FATHA: "a", DAMMA: "u", KASRA: "i", DAGGER: "a:", FATHATAN: "a", DAMMATAN: "u", KASRATAN: "i"}
_LENGTHENED = {"ا": "a", "ى": "a", "و": "u", "ي": "i"}
_VOWEL = re.compile(r"[aiu]:?$")
_ALLAH = re.compile("^(?:[وفبتك]?ا)?لله$")
_DAGGERS = re.compile("^[وف]?[بلك]?(?:ه(?=ذ(?:ا|ه|ان|ين)$|ؤلاء$)|ذ(?=لك(?:م|ما)?$)|ل(?=كن(?:ني|نا|ه|ها|هم|ك|كم)?$))")
_MERCY = re.compile("^ال?رحمن$")
_STOPS = re.escape(PAUSES)
_OTHER = f"[^\\s{_STOPS}]+?(?=[\\s{_STOPS}]|{WORD.pattern}|$)"
_TOKEN = re.compile(f"(?P<word>{WORD.pattern})|(?P<pause>[{_STOPS}]+)|(?P<other>{_OTHER})")


@dataclass
class Spoken:
    """A word's phonemes. wasl: begins with a vowel that goes after a vowel. open: ends in a bare consonant that takes
    a helping vowel (sukun or tanwin, not an ending left out)."""

    sounds: list[str]
    wasl: bool
    open: str


def phonemes(text: str) -> str:
    """eSpeak's input: `[[…]]` for Arabic, other words and the marks as they are. Brackets of the text itself go."""
    spoken: list[str] = []
    line: list[Spoken] = []
    for match in _TOKEN.finditer(text.replace("[", " ").replace("]", " ")):
        if match["word"] and bare(match["word"]):
            line.append(_spoken(match["word"]))
            continue
        _say(line, spoken)
        spoken.append(match[0] if match["pause"] else f" {match[0]} ")
    _say(line, spoken)
    return "".join(spoken).strip()


def _say(line: list[Spoken], spoken: list[str]) -> None:
    """Empties the line into the text: words that wasl joins stand without a blank."""
    if not line:
        return
    if line[0].wasl:
        line[0].sounds.insert(0, "?")
    said = [line[0].sounds]
    for before, word in pairwise(line):
        if not word.wasl or not (_ends_in_vowel(said[-1]) or before.open):
            said.append(word.sounds)
            continue
        if before.open and not _ends_in_vowel(said[-1]):
            said[-1].append(before.open)
        said[-1][-1] = said[-1][-1].rstrip(":")
        said[-1] += ["-", *word.sounds[1:]]
    spoken.append(" [[" + " ".join(stressed(sounds) for sounds in said) + "]]")
    line.clear()


def _ends_in_vowel(sounds: list[str]) -> bool:
    return bool(_VOWEL.match(sounds[-1]))


def _spoken(text: str) -> Spoken:
    word = _dagger(letters(text))
    start, sounds = _article(word)
    wasl = word[0].base == "ا" and len(word) > 1
    if start == 0 and wasl:
        sounds, start = [_first_vowel(word)], 1
    for index in range(start, len(word)):
        _sound(word, index, sounds)
    return Spoken(sounds or ["?"], wasl, _helping_vowel(word))


def _dagger(word: list[Letter]) -> list[Letter]:
    """The long a that some everyday words have and do not show."""
    plain = "".join(letter.base for letter in word)
    at = None
    if match := _DAGGERS.match(plain):
        at = match.end() - 1
    if _ALLAH.match(plain):
        word = [*word[:-3], Letter("ل"), Letter("ل", DAGGER), word[-1]]
        return [word[0].with_vowel(KASRA), Letter("ل", DAGGER, True), word[-1]] if plain == "لله" else word
    if _MERCY.match(plain):
        at = len(word) - 2
    return word if at is None else [*word[:at], word[at].with_vowel(DAGGER), *word[at + 1 :]]


def _article(word: list[Letter]) -> tuple[int, list[str]]:
    """How many letters a clitic and ال take up, and their sounds: the l is that of a moon letter."""
    plain = "".join(letter.base for letter in word)
    clitic = re.match("(?:[وف]?[بك]?ا|[وف]?ل)ل(?=..)", plain)
    if not clitic or word[clitic.end() - 1].vowel not in ("", SUKUN, KASRA) or word[clitic.end() - 1].doubled:
        return 0, []
    end, first = clitic.end(), word[clitic.end()]
    if plain[end - 2] == "ل" and not (word[end - 2].vowel == KASRA and (first.base not in SUN or first.doubled)):
        return 0, []
    sounds: list[str] = []
    for letter in word[: end - 2]:
        sounds += [_CONSONANTS[letter.base], _VOWELS.get(letter.vowel, "i" if letter.base in "بل" else "a")]
    if plain[end - 2] == "ل":
        sounds += ["l", "i"]
    elif not sounds:
        sounds = ["a"]
    article = word[end - 1]
    if article.vowel == KASRA:
        return end, [*sounds, "l", "i"]
    if first.base == "ا":
        return end, [*sounds, "l", _first_vowel(word[end:])]
    return end, [*sounds, BOUNDARY] if first.base in SUN else [*sounds, "l", BOUNDARY]


def _first_vowel(word: list[Letter]) -> str:
    """Of a word that begins with hamzat wasl: u where its third letter has u, a in ال, i elsewhere."""
    if word[0].vowel in SHORT:
        return _VOWELS[word[0].vowel]
    if word[1:2] and word[1].base == "ل" and word[1].doubled:
        return "a"
    third = word[2].vowel if len(word) > 2 and not (len(word) > 1 and word[1].doubled) else ""
    return "u" if third == DAMMA else "i"


def _sound(word: list[Letter], index: int, sounds: list[str]) -> None:
    """Adds a letter's phonemes."""
    letter, before = word[index], word[index - 1] if index else Letter("")
    if letter.base == "آ":
        sounds += ["?", "a:"]
    elif letter.base == "ا" and not letter.vowel:
        _alif(word, index, sounds)
    elif letter.base == "ى" and letter.vowel in ("", FATHA):
        if before.vowel != FATHATAN:
            _lengthen(sounds, "a", before)
    elif _is_long(letter, before):
        _lengthen(sounds, _LENGTHENED[letter.base], before)
    elif letter.base == "ة" and not letter.vowel:
        sounds += [] if _VOWEL.match(sounds[-1] if sounds else "") else ["a"]
    elif letter.base in "اى" and letter.vowel in TANWIN:
        sounds += [*([] if before.vowel == FATHATAN else ["a", "n"])]
    else:
        _consonant(word, index, sounds)


def _alif(word: list[Letter], index: int, sounds: list[str]) -> None:
    before = word[index - 1]
    if before.vowel in (KASRA, DAMMA, *TANWIN):
        return
    if before.base == "و" and not before.vowel and index == len(word) - 1:
        return  # the alif after a verb's plural -uu
    following = word[index + 1] if index + 1 < len(word) else Letter("")
    clitic = index == 1 and before.base in "وف" and before.vowel == FATHA
    if clitic and (following.vowel == SUKUN or (following.doubled and following.base in "تطد")):
        return
    _lengthen(sounds, "a", before)


def _is_long(letter: Letter, before: Letter) -> bool:
    if letter.base not in "وي" or letter.vowel or letter.doubled:
        return False
    return before.vowel == {"و": DAMMA, "ي": KASRA}[letter.base] or (
        not before.vowel and before.base not in ("", "ا", "آ")
    )


def _lengthen(sounds: list[str], vowel: str, before: Letter) -> None:
    if sounds and sounds[-1] == vowel:
        sounds[-1] += ":"
    elif not sounds or not _VOWEL.match(sounds[-1]):
        sounds.append(vowel + ":")


def _consonant(word: list[Letter], index: int, sounds: list[str]) -> None:
    letter = word[index]
    if letter.base not in _CONSONANTS:
        return
    sound = _CONSONANTS[letter.base]
    if letter.doubled and letter.base in "وي" and index == len(word) - 1 and not letter.vowel:
        _final_glide(sounds, sound)
        return
    doubled = letter.doubled or (index and sounds and _after_article(word, index) and letter.base in SUN)
    sounds += [sound] * (2 if doubled else 1)
    if letter.vowel in _VOWELS:
        sounds.append(_VOWELS[letter.vowel])
        if letter.vowel in TANWIN:
            sounds.append("n")
    elif index == 0:
        sounds.append("i" if letter.base == "إ" else "a") if letter.base in "أإ" else None


def _final_glide(sounds: list[str], sound: str) -> None:
    """-iyy and -uww before a pause are long vowels."""
    vowel = {"j": "i", "w": "u"}[sound]
    if sounds and sounds[-1] == vowel:
        sounds[-1] += ":"
    else:
        sounds += [sound, sound]


def _after_article(word: list[Letter], index: int) -> bool:
    end, _ = _article(word)
    return end == index and word[end - 1].vowel != KASRA


def _helping_vowel(word: list[Letter]) -> str:
    last, plain = word[-1], "".join(letter.base for letter in word)
    if last.vowel in TANWIN or (len(word) > 1 and last.base in "اى" and word[-2].vowel == FATHATAN):
        return "i"
    if last.vowel != SUKUN or last.base == "ة":
        return ""
    if plain in ("من", "ومن", "فمن") and word[-2].vowel == KASRA:
        return "a"
    return "u" if plain.endswith(("هم", "كم", "تم")) else "i"
