"""Verbs after particles: "to …", "if you …"."""

from __future__ import annotations

from worker.engines.tts.espeak.grammar import conjoined, is_definite
from worker.engines.tts.espeak.readings import DOUBT, Word
from worker.engines.tts.espeak.script import DAMMA, FATHA, KASRA, SUKUN, Letter

_TO = frozenset(("أن", "لن", "كي", "لكي", "ألا"))
_IF = frozenset(("إن", "إذا", "لو"))
_SHORTEST = 4


def moods(line: list[Word]) -> list[Word]:
    """The words between two pauses, with the particles and the verbs that depend on them."""
    found = [_particle(word, line[index + 1 : index + 2]) for index, word in enumerate(line)]
    for index in range(1, len(found)):
        before = conjoined(found[index - 1].bare)
        if before in _TO:
            found[index] = _subjunctive(found[index])
        elif before in _IF:
            found[index] = _addressed(found[index], found[index + 1 : index + 2])
        elif _takes_object(found[index - 1]):
            found[index] = _object(found[index])
    return found


def _takes_object(verb: Word) -> bool:
    """An order, or a verb whose subject is we or I."""
    plain = conjoined(verb.bare)
    if verb.joint is not None or len(plain) < _SHORTEST:
        return False
    return (verb.sure == 1.0 and verb.last.vowel == SUKUN) or (plain[0] in "نأ" and verb.last.vowel == DAMMA)


def _object(word: Word) -> Word:
    """ "Your card", in the accusative, where the models waver."""
    doubtful = word.joint is not None and word.sure < DOUBT and word.letters[word.joint].vowel in (DAMMA, KASRA)
    return word.ending(FATHA) if doubtful else word


def _particle(word: Word, following: list[Word]) -> Word:
    """إن, أن and لكن: -nna before a definite noun, -n before a verb; من before ال."""
    plain = conjoined(word.bare)
    if not following or word.joint is not None or plain not in ("إن", "أن", "لكن", "من"):
        return word
    definite = is_definite(following[0])
    if plain == "من":
        return word.ending(FATHA if definite and word.letters[-2].vowel == KASRA else SUKUN)
    if definite or _owned(following[0]) or following[0].bare in ("هذا", "هذه", "ذلك"):
        return _with_end(word, Letter("ن", FATHA, True))
    return _with_end(word, Letter("ن", SUKUN))


def _owned(word: Word) -> bool:
    """A noun with a pronoun, and no verb of the present with one."""
    return word.joint is not None and (word.bare[0] not in "يتنأ" or word.letters[word.joint].base == "ت")


def _with_end(word: Word, end: Letter) -> Word:
    """The particle with its own vowel, known, and this last letter."""
    at = len(word.letters) - 2
    vowel = FATHA if word.letters[at].base == "أ" else KASRA
    return Word((*word.letters[:at], word.letters[at].with_vowel(vowel), end))


def _subjunctive(word: Word) -> Word:
    """After "to" a verb of the present ends in -a."""
    at = len(word.letters) - 1 if word.joint is None else word.joint
    return word.ending(FATHA) if word.bare[0] in "يتنأ" and word.letters[at].vowel == DAMMA else word


def _addressed(word: Word, following: list[Word]) -> Word:
    """ "If you …": a past verb in -t speaks to the one who asks, unless a feminine subject follows."""
    subject = bool(following) and following[0].bare.startswith("ال") and following[0].bare.endswith(("ة", "ات"))
    if word.last.base != "ت" or word.joint is not None or subject or len(word.letters) < _SHORTEST or word.sure == 1.0:
        return word
    if word.letters[-2].base in "اى" or word.letters[-3].base == "ا":
        return word
    return Word((*word.letters[:-2], Letter(word.letters[-2].base, SUKUN), Letter("ت", FATHA)))
