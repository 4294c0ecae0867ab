"""What phonetics expects of a mouth: how open it is in each phoneme, and when it must be shut.

Made without looking at the puppet's own shapes, so that it can judge them. Openness follows the heights of the IPA's
vowel chart (close 0.2 to open 1 in nearly even steps, less where rounded lips cover the opening); consonants follow the
order of jaw heights in Keating, Lindblom, Lubker and Kreiman 1994 (sibilants closest, then /t d n/, then /l r/ and the
back of the tongue), pharyngeals lie open. Keys are IPA letters without marks, as eSpeak NG writes Arabic and English.
"""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from worker.engines.tts.base import Phoneme


@dataclass(frozen=True)
class Look:
    """open: 0 shut to 1 as in /a/, None where the throat alone speaks and the mouth is its neighbours'.
    rounded: None where the neighbours decide. bilabial: the lips meet. labiodental: the lower lip is at the teeth."""

    open: float | None
    rounded: bool | None = None
    bilabial: bool = False
    labiodental: bool = False


def _alike(letters: str, look: Look) -> dict[str, Look]:
    return dict.fromkeys(letters.split(), look)


LOOKS: dict[str, Look] = {
    **_alike("p b m", Look(0.0, bilabial=True)),
    **_alike("f v", Look(0.05, labiodental=True)),
    **_alike("s z", Look(0.15)),
    **_alike("ʃ ʒ tʃ dʒ", Look(0.2, rounded=True)),
    **_alike("θ ð", Look(0.25)),
    **_alike("t d n ɾ", Look(0.2)),
    **_alike("l r ɫ", Look(0.3)),
    **_alike("ɹ", Look(0.25, rounded=True)),
    **_alike("k ɡ ŋ x ɣ χ ʁ", Look(0.3)),
    **_alike("q", Look(0.35)),
    **_alike("ħ ʕ", Look(0.6, rounded=False)),
    **_alike("h ʔ", Look(None)),
    **_alike("w", Look(0.1, rounded=True)),
    **_alike("j", Look(0.2, rounded=False)),
    **_alike("i", Look(0.2, rounded=False)),
    **_alike("ɪ ᵻ", Look(0.35, rounded=False)),
    **_alike("e ɛ", Look(0.6, rounded=False)),
    **_alike("æ", Look(0.85, rounded=False)),
    **_alike("a ɑ", Look(1.0, rounded=False)),
    **_alike("ɐ ʌ ɜ", Look(0.65, rounded=False)),
    **_alike("ə ɚ", Look(0.5)),
    **_alike("ɒ", Look(0.85, rounded=True)),
    **_alike("o ɔ", Look(0.6, rounded=True)),
    **_alike("ʊ", Look(0.3, rounded=True)),
    **_alike("u", Look(0.2, rounded=True)),
}

EMPHATICS = {"sˤ", "tˤ", "dˤ", "ðˤ", "s̪", "t̪"}
"""As eSpeak NG writes them, in Arabic."""

LEAST_PAUSE = 0.15
"""A shorter silence, in seconds, is within a phrase: the phoneme before it goes on."""

STEP = 0.001

PARTING = 0.05
"""Seconds in which shut lips are wide open at the earliest."""


def letters(ipa: str) -> list[str]:
    """The table's keys that a phoneme consists of: one, or more for a diphthong. Unknown letters are left out."""
    bare = [one for one in unicodedata.normalize("NFD", ipa) if not unicodedata.combining(one) and one not in "ˈˌːˑˤ"]
    text = "".join(bare)
    if text in LOOKS:
        return [text]
    return [one for one in bare if one in LOOKS]


def expected_opening(
    phonemes: Sequence[Phoneme], seconds: float, fps: float, *, smooth: float = 0.075
) -> NDArray[np.float64]:
    """(frames,): how open the mouth is at the moments 0, 1/fps, … before `seconds`; a box a phoneme, smoothed by two
    running means of `smooth` seconds altogether, as a jaw can't jump; what is shut is so while its sound lasts. Silence
    is 0. The mouth's lead is not in it."""
    boxes = _boxes(phonemes, seconds)
    width = max(1, round(smooth / 2 / STEP))
    bell = np.convolve(np.ones(width), np.ones(width)) / width**2
    smoothed = np.convolve(np.pad(boxes, len(bell)), bell, "same")[len(bell) : -len(bell)]
    smoothed = np.minimum(smoothed, _far_from_closures(phonemes, len(boxes)) / PARTING)
    moments = np.arange(int(np.ceil(round(seconds * fps, 6)))) / fps
    return np.interp(moments, np.arange(len(boxes)) * STEP, smoothed)


def _boxes(phonemes: Sequence[Phoneme], seconds: float) -> NDArray[np.float64]:
    """(seconds / STEP,): the openness of what is said; what leaves the mouth free goes from neighbour to neighbour."""
    known = np.zeros(round(seconds / STEP) + 1)
    free = np.zeros(len(known), bool)
    for phoneme, following in itertools.zip_longest(phonemes, phonemes[1:]):
        brief = following is not None and following.start - phoneme.end < LEAST_PAUSE
        end = following.start if brief else phoneme.end
        for look, first, last in _parts(phoneme.ipa, phoneme.start, end):
            span = slice(round(first / STEP), round(last / STEP))
            known[span] = look.open or 0.0
            free[span] = look.open is None
    places = np.arange(len(known))
    return np.where(free, np.interp(places, places[~free], known[~free]), known)


def _far_from_closures(phonemes: Sequence[Phoneme], steps: int) -> NDArray[np.float64]:
    """(steps,): seconds to the nearest sound with shut lips."""
    moments = np.arange(steps) * STEP
    far = np.full(steps, np.inf)
    for closing in closures(phonemes):
        if closing.lips:
            far = np.minimum(far, np.maximum(np.maximum(closing.start - moments, moments - closing.end), 0))
    return far


def _parts(ipa: str, start: float, end: float) -> list[tuple[Look, float, float]]:
    """A phoneme's letters, each with its share of the time."""
    looks = [LOOKS[letter] for letter in letters(ipa)]
    edges = np.linspace(start, end, len(looks) + 1).tolist()
    return list(zip(looks, edges, edges[1:], strict=False))


@dataclass(frozen=True)
class Closing:
    """A closure that a viewer expects, between two moments of the sound, seconds. lips: the lips meet; otherwise the
    lower lip touches the teeth."""

    start: float
    end: float
    lips: bool

    @property
    def middle(self) -> float:
        return (self.start + self.end) / 2


def closures(phonemes: Sequence[Phoneme]) -> list[Closing]:
    """In order of time; what is doubled, or follows the other of its place at once, is one."""
    found: list[Closing] = []
    for phoneme in phonemes:
        looks = [LOOKS[letter] for letter in letters(phoneme.ipa)]
        if not any(look.bilabial or look.labiodental for look in looks):
            continue
        one = Closing(phoneme.start, phoneme.end, lips=any(look.bilabial for look in looks))
        if found and found[-1].lips == one.lips and one.start - found[-1].end < 0.03:
            one = Closing(found.pop().start, one.end, one.lips)
        found.append(one)
    return found
