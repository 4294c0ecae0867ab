"""Mouth shapes of speech: what each class of sound asks of each articulator.

A viseme is what a phoneme looks like: a target for every articulator and a dominance for each, that is how strongly it
insists on the target against its neighbours (Cohen and Massaro 1993). An /s/ insists on a nearly closed jaw and leaves
the rounding to the vowels around it; an /h/ insists on nothing.

The openings follow the height of the IPA's vowels and, for consonants, the jaw positions that Keating, Lindblom, Lubker
and Kreiman 1994 measured (sibilants highest, then stops of the tip, then /l r/ and the back of the tongue); pharyngeals
and emphatics lower the jaw (Zeroual and others 2007).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ARTICULATORS = ("jaw", "wide", "round", "press", "tuck", "upper", "lower", "tongue", "tip")
"""Muscles of the rig that speech moves, and the tongue: its back towards the palate, its tip between the teeth."""

JAW, WIDE, ROUND, PRESS, TUCK, UPPER, LOWER, TONGUE, TIP = range(len(ARTICULATORS))


@dataclass(frozen=True, eq=False)
class Viseme:
    """target and dominance: (len(ARTICULATORS),). closed: the lips must meet (p b m). tucked: the lower lip must reach
    the teeth (f v). still: no speech. vowel: length and stress change how far it goes. burst: it opens in one step.
    backing: 0 to 1, how much it lowers the jaw and draws in the lips of what stands around it (emphatics, uvulars).
    """

    name: str
    target: NDArray[np.float32]
    dominance: NDArray[np.float32]
    closed: bool = False
    tucked: bool = False
    still: bool = False
    vowel: bool = False
    burst: bool = False
    backing: float = 0.0


@dataclass(frozen=True)
class Segment:
    """A viseme from start to end, seconds. stressed: it carries the word's stress. effort: how far the mouth opens,
    1 as usual. long: held as long as it lasts (a long vowel, a doubled consonant)."""

    viseme: Viseme
    start: float
    end: float
    stressed: bool = False
    effort: float = 1.0
    long: bool = False


NAMED, UNNAMED = 0.7, 0.25
"""How strongly a shape insists where nothing else is said: on articulators that it moves, and on those at rest."""


def _shape(name: str, insists: dict[str, float], backing: float = 0.0, **target: float) -> Viseme:
    """Articulators that are not named rest at 0."""
    goals = np.array([target.get(part, 0.0) for part in ARTICULATORS], np.float32)
    weights = [insists.get(part, NAMED if part in target else UNNAMED) for part in ARTICULATORS]
    return Viseme(name, goals, np.array(weights, np.float32), backing=backing)


def _vowel(name: str, insists: dict[str, float], **target: float) -> Viseme:
    shape = _shape(name, {"tip": 0.5, "press": 0.5, "tuck": 0.5, **insists}, **target)
    return Viseme(name, shape.target, shape.dominance, vowel=True)


def _closure(name: str, *, burst: bool, **target: float) -> Viseme:
    insists = {"jaw": 0.6, "upper": 0.8, "lower": 0.8, "wide": 0.3, "round": 0.08, "tongue": 0.05}
    shape = _shape(name, insists, jaw=0.10, **target)
    return Viseme(name, shape.target, shape.dominance, closed=True, burst=burst)


def _tucked() -> Viseme:
    insists = {"jaw": 0.7, "upper": 0.8, "lower": 0.8, "wide": 0.3, "round": 0.2, "tongue": 0.05}
    shape = _shape("fv", insists, jaw=0.05, tuck=1.0)
    return Viseme("fv", shape.target, shape.dominance, tucked=True)


def _rest() -> Viseme:
    size = len(ARTICULATORS)
    return Viseme("rest", np.zeros(size, np.float32), np.full(size, 0.8, np.float32), still=True)


_TIP = {"round": 0.10, "wide": 0.2, "tongue": 1.0, "jaw": 0.9, "lower": 0.8, "upper": 0.8}
"""The tip of the tongue at the ridge: the lips are free to round."""

_BACK = {**_TIP, "jaw": 0.7, "tongue": 0.5, "lower": 0.5, "upper": 0.5}

_HISS = {"round": 0.22, "wide": 0.35, "lower": 0.8, "upper": 0.8, "jaw": 1.3}
"""The teeth are nearly closed and shown."""

_POUT = {"round": 1.2, "jaw": 1.2, "tongue": 0.8, "lower": 0.8, "upper": 0.8}

_FREE = dict.fromkeys(ARTICULATORS, 0.012)
"""The throat alone: the mouth is its neighbours'."""

_THROAT = {"round": 0.3, "wide": 0.4, "jaw": 0.8, "tongue": 0.5}
"""Pharyngeals pull the jaw down with the root of the tongue."""

VISEMES: dict[str, Viseme] = {
    viseme.name: viseme
    for viseme in (
        _rest(),
        _shape("breath", dict.fromkeys(ARTICULATORS, 0.5), jaw=0.11, lower=0.05, upper=0.02),
        _closure("pb", burst=True, press=0.75),
        _closure("m", burst=False, press=0.70),
        _tucked(),
        _shape("th", {**_TIP, "tip": 1.0}, jaw=0.13, tip=1.0, tongue=0.45, lower=0.22, upper=0.10, wide=0.10),
        _shape("dh", {**_TIP, "tip": 1.0}, 0.9, jaw=0.16, tip=0.9, tongue=0.35, lower=0.20, upper=0.08),
        _shape("td", _TIP, jaw=0.11, tongue=0.85, lower=0.16, upper=0.05, wide=0.12),
        _shape("tt", _TIP, 1.0, jaw=0.15, tongue=0.7, lower=0.14, upper=0.04, round=0.08),
        _shape("n", {**_TIP, "jaw": 0.8}, jaw=0.11, tongue=0.85, lower=0.12, upper=0.04, wide=0.10),
        _shape("l", {**_TIP, "jaw": 0.7}, jaw=0.20, tongue=1.0, lower=0.12, wide=0.10),
        _shape("ll", {**_TIP, "jaw": 0.7}, 0.7, jaw=0.22, tongue=0.8, lower=0.10, round=0.08),
        _shape("rr", {**_TIP, "jaw": 0.7}, jaw=0.19, tongue=0.8, lower=0.12),
        _shape("r", {"round": 0.45, "jaw": 0.8}, jaw=0.13, round=0.38, lower=0.18, upper=0.08, tongue=0.5),
        _shape("sz", _HISS, jaw=0.03, wide=0.32, lower=0.28, upper=0.13, tongue=0.6),
        _shape("ss", {**_HISS, "round": 0.35}, 1.0, jaw=0.05, round=0.10, lower=0.27, upper=0.12, tongue=0.4),
        _shape("sh", _POUT, jaw=0.05, round=0.60, lower=0.32, upper=0.28, tongue=0.5),
        _shape("ch", _POUT, jaw=0.05, round=0.62, lower=0.30, upper=0.26, tongue=0.8),
        _shape("kg", _BACK, jaw=0.19, tongue=0.25, lower=0.08),
        _shape("kh", _BACK, 0.35, jaw=0.21, tongue=0.2, lower=0.08),
        _shape("q", _BACK, 0.8, jaw=0.20, tongue=0.15, lower=0.06, round=0.05),
        _shape("hh", _THROAT, jaw=0.48, wide=0.20, lower=0.12, upper=0.05),
        _shape("h", _FREE, jaw=0.28),
        _shape("w", {"jaw": 1.2, "round": 1.0, "wide": 0.8}, jaw=0.06, round=1.0, upper=0.03, lower=0.05),
        _shape("j", {"wide": 0.6, "jaw": 0.9, "round": 0.3}, jaw=0.11, wide=0.40, tongue=0.5, lower=0.1),
        _vowel("ii", {"wide": 0.9, "jaw": 0.9, "round": 1.4}, jaw=0.13, wide=0.50, tongue=0.4, lower=0.10, upper=0.05),
        _vowel("ih", {"wide": 0.6, "jaw": 0.8, "round": 0.8}, jaw=0.26, wide=0.30, tongue=0.3, lower=0.10),
        _vowel("ee", {"wide": 0.7, "jaw": 1.0, "round": 1.2}, jaw=0.47, wide=0.32, tongue=0.2, lower=0.12),
        _vowel("ae", {"wide": 0.7, "jaw": 1.1, "round": 1.4}, jaw=0.66, wide=0.26, tongue=0.1, lower=0.12, upper=0.06),
        _vowel("aa", {"jaw": 1.1, "wide": 0.6, "round": 1.4}, jaw=0.76, wide=0.12, tongue=0.05, lower=0.10, upper=0.05),
        _vowel("ah", {"jaw": 0.9, "wide": 0.4, "round": 0.5}, jaw=0.55, wide=0.08, tongue=0.1, lower=0.08),
        _vowel("uh", {"jaw": 0.8, "wide": 0.25, "round": 0.2}, jaw=0.43, wide=0.06, tongue=0.1, lower=0.06),
        _vowel("ow", {"jaw": 1.0, "round": 0.7, "wide": 0.6}, jaw=0.70, round=0.36, upper=0.10, lower=0.12),
        _vowel("oo", {"jaw": 0.9, "round": 0.95, "wide": 0.8}, jaw=0.42, round=0.68, upper=0.16, lower=0.20),
        _vowel("ou", {"jaw": 0.8, "round": 0.8, "wide": 0.7}, jaw=0.23, round=0.62, upper=0.08, lower=0.12),
        _vowel("uu", {"jaw": 0.9, "round": 1.0, "wide": 0.8}, jaw=0.14, round=0.95, upper=0.06, lower=0.12),
    )
}
"""rest, breath and the mouth shapes of speech, by name."""
