"""IPA phonemes, as espeak-ng writes them for Arabic and English, to mouth shapes.

A viseme is what a phoneme looks like: eighteen of them, each with a target for every articulator and a dominance for
each, that is how strongly it insists on the target against its neighbours (Cohen and Massaro 1993). An /s/ insists on
a nearly closed jaw and leaves the rounding to the vowels around it; an /h/ insists on nothing.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

ARTICULATORS = ("jaw", "wide", "round", "press", "tuck", "upper", "lower", "tongue")
"""Muscles of the rig that speech moves, and the tongue."""


@dataclass(frozen=True)
class Viseme:
    """target and dominance: (len(ARTICULATORS),). closed: the lips must meet (p b m). tucked: the lower lip must
    reach the teeth (f v). still: no speech."""

    name: str
    target: NDArray[np.float32]
    dominance: NDArray[np.float32]
    closed: bool = False
    tucked: bool = False
    still: bool = False


@dataclass(frozen=True)
class Segment:
    """A viseme from start to end, seconds. stressed: it carries the word's stress."""

    viseme: Viseme
    start: float
    end: float
    stressed: bool = field(default=False)


def _viseme(
    name: str, insists: dict[str, float], *, closed: bool = False, tucked: bool = False, **target: float
) -> Viseme:
    """Articulators that are not named rest at 0 and insist with 0.25."""
    goals = np.array([target.get(part, 0.0) for part in ARTICULATORS], np.float32)
    weights = np.array([insists.get(part, 0.7 if part in target else 0.25) for part in ARTICULATORS], np.float32)
    return Viseme(name, goals, weights, closed=closed, tucked=tucked)


_SHUT = {"jaw": 1.0, "wide": 0.7, "upper": 1.0, "lower": 1.0, "press": 1.0, "tuck": 1.0}

VISEMES: dict[str, Viseme] = {
    viseme.name: viseme
    for viseme in (
        Viseme("rest", np.zeros(8, np.float32), np.full(8, 0.8, np.float32), still=True),
        _viseme("pbm", _SHUT, closed=True, press=0.75),
        _viseme("fv", {**_SHUT, "round": 0.2}, tucked=True, tuck=1.0, jaw=0.03),
        _viseme("th", {"jaw": 0.8, "tongue": 1}, jaw=0.16, tongue=0.9, lower=0.35, wide=0.1),
        _viseme("td", {"jaw": 0.7, "tongue": 1, "wide": 0.3}, jaw=0.15, tongue=0.8, lower=0.25, wide=0.15),
        _viseme("l", {"jaw": 0.5, "tongue": 1, "wide": 0.2}, jaw=0.26, tongue=1.0, lower=0.15, wide=0.12),
        _viseme("kg", {"jaw": 0.3, "tongue": 0.4}, jaw=0.22, tongue=0.25, lower=0.1),
        _viseme("sz", {"jaw": 1.0, "wide": 0.5, "lower": 0.8}, jaw=0.05, wide=0.34, lower=0.35, upper=0.15, tongue=0.6),
        _viseme("sh", {"jaw": 0.9, "round": 0.9}, jaw=0.10, round=0.62, lower=0.45, upper=0.35, tongue=0.5),
        _viseme("r", {"round": 0.45}, jaw=0.17, round=0.35, lower=0.2, tongue=0.6),
        _viseme("w", {"jaw": 0.8, "round": 1.0}, jaw=0.07, round=1.0, upper=0.2, lower=0.25),
        _viseme("j", {"wide": 0.7, "jaw": 0.6}, jaw=0.12, wide=0.42, tongue=0.5),
        _viseme("h", dict.fromkeys(ARTICULATORS, 0.08), jaw=0.25),
        _viseme("aa", {"jaw": 1.0}, jaw=0.68, wide=0.10, lower=0.1, tongue=0.05),
        _viseme("ae", {"jaw": 0.9, "wide": 0.7}, jaw=0.42, wide=0.28, tongue=0.15),
        _viseme("ii", {"wide": 0.9, "jaw": 0.8}, jaw=0.13, wide=0.50, tongue=0.4),
        _viseme("uu", {"round": 1.0, "jaw": 0.8}, jaw=0.11, round=0.95, upper=0.3, lower=0.35),
        _viseme("oo", {"round": 0.95, "jaw": 0.9}, jaw=0.38, round=0.68, upper=0.2, lower=0.25),
        _viseme("uh", {"jaw": 0.55, "wide": 0.25}, jaw=0.28, wide=0.06, tongue=0.1),
    )
}
"""rest and eighteen mouth shapes."""

_LETTERS: dict[str, str] = {
    **dict.fromkeys("pbmɓʙ", "pbm"),
    **dict.fromkeys("fvɱʋ", "fv"),
    **dict.fromkeys("θð", "th"),
    **dict.fromkeys("tdnɾʈɖɳ", "td"),
    **dict.fromkeys("lɫɭʎ", "l"),
    **dict.fromkeys("kgɡqŋxɣχʁɴcɟɲ", "kg"),
    **dict.fromkeys("sz", "sz"),
    **dict.fromkeys("ʃʒɕʑʂʐ", "sh"),
    **dict.fromkeys("rɹɻʀ", "r"),
    **dict.fromkeys("wʍɥ", "w"),
    **dict.fromkeys("jʝ", "j"),
    **dict.fromkeys("hɦħʕʔʡʢɬ", "h"),
    **dict.fromkeys("aɑɒ", "aa"),
    **dict.fromkeys("æɛeɐœø", "ae"),
    **dict.fromkeys("iɪyᵻɨ", "ii"),
    **dict.fromkeys("uʊʉɯ", "uu"),
    **dict.fromkeys("oɔɤ", "oo"),
    **dict.fromkeys("əʌɜɚɝɵᵊ", "uh"),
}

_AFFRICATES = {"tʃ": "sh", "dʒ": "sh", "ts": "sz", "dz": "sz", "tɕ": "sh", "dʑ": "sh"}

_STRESS = "ˈˌ"


def visemes(ipa: str) -> list[Viseme]:
    """The shapes of one phoneme in order: one, or two for a diphthong. Unknown letters and marks are passed over;
    nothing known at all is a schwa, an empty text or a pause (`_`) is rest."""
    letters = "".join(letter for letter in unicodedata.normalize("NFD", ipa) if not _is_mark(letter))
    if not letters.strip("_:;|() "):
        return [VISEMES["rest"]]
    names: list[str] = []
    while letters:
        name = _AFFRICATES.get(letters[:2])
        taken = 2 if name else 1
        name = name or _LETTERS.get(letters[0])
        if name and names[-1:] != [name]:
            names.append(name)
        letters = letters[taken:]
    return [VISEMES[name] for name in names or ["uh"]]


def _is_mark(letter: str) -> bool:
    """Stress, length, emphasis and other diacritics do not change the shape's name."""
    return unicodedata.category(letter) in ("Mn", "Lm", "Sk") or letter in _STRESS


def segments(ipa: str, start: float, end: float) -> list[Segment]:
    """One phoneme's segments; the first part of a diphthong takes three fifths of the time."""
    shapes = visemes(ipa)
    stressed = ipa.startswith("ˈ")
    if len(shapes) == 1:
        return [Segment(shapes[0], start, end, stressed)]
    edges = [start, start + 0.6 * (end - start), *np.linspace(start + 0.6 * (end - start), end, len(shapes))[1:]]
    return [
        Segment(shape, float(edges[place]), float(edges[place + 1]), stressed and place == 0)
        for place, shape in enumerate(shapes)
    ]
