"""What a text says of feelings, each place with what stands around it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from core.kinds import Emotion
from worker.engines.emotion.keywords.lexicon import Feeling, Lexicon, Marker
from worker.engines.emotion.keywords.patterns import Found
from worker.engines.emotion.keywords.surroundings import Surroundings
from worker.engines.emotion.keywords.tokens import Tokens

_STRONGER = 0.12
_WEAKER = 0.2
_SHOUTED = 0.08
_DENIED = 0.4
_LEAST = 0.1
_OPPOSITE = {Emotion.JOY: Emotion.SADNESS}
"""What a denied emotion says: `not happy` is sad, `not afraid` is nothing."""


@dataclass(frozen=True, slots=True)
class Hit:
    """An emotion said at a place; `contrasted`: a `but` follows it in its sentence."""

    emotion: Emotion
    strength: float
    place: int
    sentence: int
    contrasted: bool = False


def hits(text: Tokens, known: Lexicon) -> list[Hit]:
    """In the order of the text."""
    found = list(_found(text, known))
    around = Surroundings(text, found, known)
    judged = (_judged(one, around, text) for one in found if one.meaning.emotion is not Emotion.NEUTRAL)
    return [hit for hit in judged if hit is not None]


def _found(text: Tokens, known: Lexicon) -> Iterator[Found[Feeling]]:
    """The longest entries, none over another."""
    search, place = known.feelings.search(text.tokens), 0
    while place < len(text.tokens):
        here = search.at(place)
        if here:
            yield here[0]
        place = here[0].end if here else place + 1


def _judged(one: Found[Feeling], around: Surroundings, text: Tokens) -> Hit | None:
    feeling, token = one.meaning, text.tokens[one.start]
    if not token.sign and (around.is_name(one) or around.is_about(one)):
        return None
    emotion, strength = feeling.emotion, feeling.weight.value
    if one.denied or (not token.sign and around.is_denied(one)):
        if emotion not in _OPPOSITE:
            return None
        emotion, strength = _OPPOSITE[emotion], _DENIED
    else:
        strength += _STRONGER * around.degrees(one, Marker.STRONGER) - _WEAKER * around.degrees(one, Marker.WEAKER)
    strength += _SHOUTED * any(word.shouted or word.drawn for word in text.tokens[one.start : one.end])
    return Hit(emotion, max(strength, _LEAST), one.start, token.sentence, around.contrasted(one))
