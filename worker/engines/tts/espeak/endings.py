"""Case endings: certain after what governs them, agreeing in what belongs together, and left out where in doubt, as
speakers do ("sakkin taslam": drop the ending and be safe).

Cases by Ryding, "A Reference Grammar of Modern Standard Arabic", ch. 7.
"""

from __future__ import annotations

from worker.engines.tts.espeak.grammar import (
    BEFORE_THE,
    COMPARED,
    DAYS,
    DIGITS,
    GOVERNING,
    NUMBERS,
    ORDINALS,
    SPANS,
    conjoined,
    dropped,
    genitive,
    is_definite,
    takes_case,
)
from worker.engines.tts.espeak.readings import DOUBT, Word
from worker.engines.tts.espeak.script import DAMMA, DAMMATAN, FATHA, KASRA, KASRATAN, SHORT
from worker.engines.tts.espeak.verbs import moods


def ended(line: list[Word], opening: bool) -> list[Word]:
    """The words between two pauses with the endings that are said. opening: they begin the sentence."""
    line = moods(_opening(line) if opening else line)
    for rule in (_governed, _indefinite, _whens, _agreeing, _tens, _times, _digits):
        line = rule(line)
    return [_without_doubt(word, line[index + 1 : index + 2]) for index, word in enumerate(line)]


def _opening(line: list[Word]) -> list[Word]:
    """A sentence that begins with a noun begins with its subject."""
    if not line:
        return line
    first, vowel = line[0], line[0].last.vowel
    prefixed = first.bare[0] in "وفبلك"
    noun = first.bare.startswith("ال") or (first.last.base == "ة" and not prefixed)
    if not noun or not takes_case(first) or first.joint is not None or first.sure == 1.0 or first.bare == "الساعة":
        return line
    return [first.ending(DAMMA if vowel in SHORT else DAMMATAN), *line[1:]]


def _governed(line: list[Word]) -> list[Word]:
    found = list(line)
    for index, word in enumerate(line):
        if _governs(line[index - 1] if index else None, word) or conjoined(word.bare).startswith(("بال", "كال", "لل")):
            found[index] = genitive(word)
    return found


def _governs(before: Word | None, word: Word) -> bool:
    """Whether the word before makes this one genitive: a preposition, "each", a superlative."""
    if before is None or before.joint is not None:
        return False
    plain = _unprefixed(before)
    if (plain == "من" and before.letters[-2].vowel == FATHA) or (plain == "أي" and not before.last.doubled):
        return False
    if plain in COMPARED and (word.bare[0] in "وف" or (word.sure == 1.0 and not is_definite(word))):
        return False
    return (
        plain in GOVERNING
        or plain in COMPARED
        or (plain in BEFORE_THE and (is_definite(word) or word.bare in GOVERNING))
    )


def _unprefixed(word: Word) -> str:
    plain = word.bare if word.bare in GOVERNING | BEFORE_THE | COMPARED else conjoined(word.bare)
    return plain[1:] if plain[:1] in "بلك" and plain[1:] in GOVERNING | COMPARED else plain


def _indefinite(line: list[Word]) -> list[Word]:
    """ "Each bus", "the cheapest ticket": a single indefinite noun, with tanwin."""
    found = list(line)
    for index in range(1, len(line)):
        word, following = line[index], line[index + 1 : index + 2]
        plain = _unprefixed(line[index - 1])
        if plain not in COMPARED | {"كل", "أي"} or line[index - 1].joint is not None or is_definite(word):
            continue
        if word.joint is not None or word.bare in NUMBERS or not takes_case(word) or word.last.vowel not in SHORT:
            continue
        if (word.sure < 1.0 or word.last.vowel == KASRA) and not (following and is_definite(following[0])):
            found[index] = word.ending(KASRATAN)
    return found


def _whens(line: list[Word]) -> list[Word]:
    """ "Every day", "on Friday": adverbs, unless a preposition stands before them."""
    found = list(line)
    for index, word in enumerate(line):
        rest = [after.bare for after in line[index + 1 : index + 3]]
        each = conjoined(word.bare) == "كل" and ((rest[:1] and rest[0] in SPANS) or (rest[1:] and rest[1] in SPANS))
        if each or (conjoined(word.bare) == "يوم" and rest[:1] and rest[0] in DAYS):
            governed = index and _governs(line[index - 1], word)
            found[index] = word.ending(KASRA if governed else FATHA)
    return found


def _agreeing(line: list[Word]) -> list[Word]:
    """A definite adjective has its noun's ending: two feminine words with ال, or one in -iyy after a noun."""
    found = list(line)
    for index in range(1, len(found)):
        noun, adjective = found[index - 1], found[index]
        if not (is_definite(noun) and adjective.bare.startswith("ال")) or adjective.sure == 1.0 or not takes_case(noun):
            continue
        feminine = noun.last.base == "ة" == adjective.last.base
        relative = adjective.last.base == "ي" and adjective.last.doubled
        if (feminine or relative) and noun.last.vowel in SHORT and adjective.last.vowel in SHORT:
            found[index] = adjective.ending(noun.last.vowel, noun.sure)
    return found


def _tens(line: list[Word]) -> list[Word]:
    """ "Five and twenty": both parts in one case, as the tens show it."""
    found = list(line)
    for index in range(len(line) - 2, -1, -1):
        word, tens = found[index], line[index + 1].bare
        if not takes_case(word) or word.bare.lstrip("وفبل") not in NUMBERS or tens[:1] != "و":
            continue
        if tens.endswith("ون") and tens[1:] in NUMBERS:
            found[index] = word.ending(DAMMATAN)
        elif tens.endswith("ين") and tens[1:] in NUMBERS and word.last.vowel in (DAMMA, DAMMATAN):
            found[index] = word.ending(KASRATAN)
    return found


def _times(line: list[Word]) -> list[Word]:
    """ "At six o'clock" without endings, unless a preposition gives them."""
    found = list(line)
    for index in range(1, len(found)):
        hour, number = found[index - 1], found[index]
        if hour.bare.endswith("الساعة") and number.bare in ORDINALS and not _governs_at(line, index - 1):
            found[index - 1], found[index] = dropped(hour), dropped(number)
            if index > 1 and found[index - 2].last.base == "ة":
                found[index - 2] = dropped(found[index - 2])
    return found


def _governs_at(line: list[Word], index: int) -> bool:
    return index > 0 and _unprefixed(line[index - 1]) not in COMPARED and _governs(line[index - 1], line[index])


def _digits(line: list[Word]) -> list[Word]:
    """Figures said one after another stand alone, each as before a pause."""
    digit = [word.bare in DIGITS for word in line]
    return [
        dropped(word) if digit[index] and any(digit[max(0, index - 1) : index] + digit[index + 1 : index + 2]) else word
        for index, word in enumerate(line)
    ]


def _without_doubt(word: Word, following: list[Word]) -> Word:
    if word.sure >= DOUBT or word.joint is not None or len(word.letters) <= 2:
        return word
    governs = bool(following) and not is_definite(word) and word.last.vowel in SHORT
    return dropped(word, governs)
