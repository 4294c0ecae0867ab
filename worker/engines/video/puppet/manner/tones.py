"""How a tone looks: what brows, cheeks and corners of the mouth do, and how lively."""

from __future__ import annotations

from dataclasses import dataclass, field

from core.kinds import Tone
from worker.engines.video.puppet.manner.curves import Spring
from worker.engines.video.puppet.manner.noise import Noise, dice
from worker.engines.video.puppet.manner.strokes import BROW, Strokes


@dataclass(frozen=True)
class Look:
    """At full intensity. held: pulls that stay while the tone does. flash, knit: how far the brows go up, or down and
    together, with an emphasised word. nod: degrees of the largest nod; nods: how many of the stresses get one. lean:
    degrees that the head tilts."""

    held: dict[str, float]
    flash: float = 0.25
    knit: float = 0.0
    nod: float = 2.0
    nods: float = 0.45
    lean: float = field(default=0.0)


LOOKS: dict[Tone, Look] = {
    Tone.NEUTRAL: Look({"smile": 0.22}, flash=0.32),
    Tone.CHEERFUL: Look({"smile": 0.80, "brow": 0.18}, flash=0.35, nod=2.3, nods=0.55),
    Tone.GENTLE: Look({"smile": 0.20, "worry": 0.65, "sad": 0.06}, flash=0.16, nod=1.7, nods=0.40, lean=2.0),
    Tone.CALM: Look({"smile": 0.12, "knit": 0.12}, flash=0.16, knit=0.30, nod=1.6, nods=0.35),
    Tone.LIVELY: Look({"smile": 0.48, "brow": 0.50}, flash=0.40, nod=2.6, nods=0.60),
}
"""The one table of how tones look."""

LEAST = 0.4
"""How much of its look a tone keeps at intensity 0."""

ROUNDED = 0.45
"""How much of the smile gives way to lips that are rounded or pressed."""

ASKING = 0.28
"""How far the brows go up in a question."""


def strength(intensity: float) -> float:
    """intensity 0–1, to how much of a tone's look shows."""
    return LEAST + (1 - LEAST) * min(max(intensity, 0.0), 1.0)


class Expression:
    """Told and asked in order of time."""

    def __init__(self, look: Look, intensity: float, seed: str) -> None:
        self._random, self._strength = dice(seed, "phrases"), strength(intensity)
        self._held = {name: pull * self._strength for name, pull in look.held.items()}
        self._flash, self._knit = look.flash * self._strength, look.knit * self._strength
        self._brows, self._knits = Strokes(BROW, dice(seed, "brows")), Strokes(BROW, dice(seed, "knits"))
        self._noise = Noise(dice(seed, "tone"))
        self._swell, self._relief, self._asking = Spring(5.0), Spring(7.0), Spring(6.0)
        self._swell.towards(0.95, 0.0)

    def phrase(self, moment: float, asked: bool) -> None:
        """Each phrase is said with a little more or less of the tone."""
        self._swell.towards(self._random.uniform(0.75, 1.10), moment)
        self._asking.towards(ASKING if asked else 0.0, moment)
        self._relief.towards(0.0, moment)

    def pause(self, moment: float) -> None:
        """Brows come down, and the smile, which speech holds back, comes out."""
        self._swell.towards(self._random.uniform(0.55, 0.80), moment)
        self._relief.towards(1.0, moment)

    def stress(self, moment: float, nodded: bool) -> None:
        """nodded: the head goes with it; brows like to go along."""
        if not self._brows.stress(moment, 0.55 if nodded else 0.20):
            self._knits.stress(moment, 0.40 if self._knit else 0.0)

    def at(self, moment: float, lips: float) -> dict[str, float]:
        """Pulls by muscle. lips: 0–1, how far they are rounded or pressed."""
        swell = self._swell.at(moment) * (1 + 0.12 * self._noise.at(moment))
        pulls = {name: pull * swell for name, pull in self._held.items()}
        smile = pulls["smile"] + 0.3 * self._held["smile"] * self._relief.at(moment)
        pulls["smile"] = smile * (1 - ROUNDED * min(max(lips, 0.0), 1.0))
        pulls["cheek"] = 0.85 * max(smile - 0.12, 0.0)
        brow = self._flash * self._brows.at(moment) + self._asking.at(moment)
        pulls["brow"] = pulls.get("brow", 0.0) + brow
        if self._knit:
            pulls["knit"] += self._knit * self._knits.at(moment)
        return pulls
