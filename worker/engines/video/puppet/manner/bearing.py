"""What a face does beside speaking: it blinks, looks, breathes, nods on stress, and shows the reply's tone.

Deterministic: the same seed, told the same, moves in the same way, so that a clip can be made again.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from core.kinds import Tone
from worker.engines.video.puppet.manner.blinks import Blinks
from worker.engines.video.puppet.manner.breathing import Breathing
from worker.engines.video.puppet.manner.gaze import Direction, Gaze
from worker.engines.video.puppet.manner.noise import dice
from worker.engines.video.puppet.manner.posture import Held, Posture
from worker.engines.video.puppet.manner.strokes import NOD, Strokes
from worker.engines.video.puppet.manner.tones import LOOKS, Expression, strength

PAUSE = 0.20
"""Seconds of silence from which on the face takes it for a pause."""

BREATH = 0.25
"""Seconds of silence from which on a breath is taken in it."""

GASP = (0.25, 0.40)
"""Seconds that such a breath in lasts, at least and at most."""

JOIN = 0.03
"""Seconds between two silences, or a silence and a phrase, that are taken for one after the other."""

LAST_LOOK = 0.45
"""Seconds before the end from which on the eyes look into the camera."""

LOWERED = 0.035
"""How far the lids go down with a degree of the eyes' turn downwards."""

NARROWED = 0.16
"""How far a full smile's cheeks narrow the lids."""


@dataclass(frozen=True)
class Manner:
    """One moment: pulls of the muscles beside speech, lids 0–1; degrees of the head (to the viewer's right, down,
    clockwise) and of the eyes beside it (to the viewer's right, down); sway in thousandths of the picture's width;
    breath 0–1."""

    muscles: dict[str, float]
    lids: float
    yaw: float
    pitch: float
    roll: float
    sway: tuple[float, float]
    gaze: tuple[float, float]
    breath: float


@dataclass
class _Pause:
    start: float
    end: float


@dataclass(frozen=True)
class _Phrase:
    start: float
    asked: bool


class Bearing:
    """Asked frame by frame, in order of time; told, in order of time too, at least 0.45 s before."""

    def __init__(self, seed: str, tone: Tone, intensity: float) -> None:
        look = LOOKS[tone]
        self._nods_of = look.nods
        self._nod = look.nod * (0.5 + 0.5 * strength(intensity))
        self._blinks = Blinks(dice(seed, "blinks"), dice(seed, "hints"))
        self._gaze = Gaze(dice(seed, "gaze"))
        self._breathing = Breathing(dice(seed, "breath"))
        self._posture = Posture(dice(seed, "posture"), look.lean * strength(intensity))
        self._nods = Strokes(NOD, dice(seed, "nods"))
        self._expression = Expression(look, intensity, seed)
        self._when = dice(seed, "when")
        self._cues: deque[_Pause | _Phrase] = deque()
        self._silence: _Pause | None = None
        self._spoke = False
        self._end: float | None = None

    def stress(self, moment: float) -> None:
        """A stressed syllable: every so often the head and brows go with it."""
        self._expression.stress(moment, self._nods.stress(moment, self._nods_of))

    def pause(self, start: float, end: float) -> None:
        """Silence. One that follows another at once makes it longer."""
        if self._silence is not None and start - self._silence.end < JOIN:
            self._silence.end = end
            return
        self._silence = _Pause(start, end)
        self._cues.append(self._silence)

    def phrase(self, start: float, *, asked: bool = False) -> None:
        """Speech after a pause, or the clip's first; asked: it is a question. What goes on from speech is no phrase."""
        before = self._silence
        paused = before is not None and start - before.end < JOIN and before.end - before.start >= PAUSE
        if paused or not self._spoke:
            self._cues.append(_Phrase(start, asked))
        self._spoke = True

    def end(self, moment: float) -> None:
        """The clip's last frame is shown then: said at least 0.5 s before."""
        self._end = moment
        self._blinks.end(moment)

    def at(self, moment: float, awake: float, lips: float = 0.0) -> Manner:
        """awake: 0 at the clip's first and last frame, 1 in between. lips: 0–1, how far they are rounded or pressed."""
        self._heed(moment)
        held, nod = self._posture.at(moment), self._nods.at(moment) * self._nod
        yaw, pitch = awake * held.yaw, awake * (held.pitch + nod)
        look = self._gaze.at(moment)
        gaze = (awake * look[0] - yaw, awake * look[1] - pitch)
        muscles = {name: awake * pull for name, pull in self._expression.at(moment, lips).items()}
        return Manner(
            muscles=muscles,
            lids=self._lids(moment, gaze, muscles["cheek"]),
            yaw=yaw,
            pitch=pitch,
            roll=awake * held.roll,
            sway=_sway(held, nod, awake),
            gaze=gaze,
            breath=awake * self._breathing.at(moment),
        )

    def _lids(self, moment: float, gaze: Direction, cheek: float) -> float:
        lowered = LOWERED * max(gaze[1], 0.0) + NARROWED * cheek
        return lowered + (1 - lowered) * self._blinks.at(moment)

    def _heed(self, moment: float) -> None:
        """Does what belongs to the pauses and phrases that have begun, and to the end."""
        while self._cues and self._cues[0].start <= moment:
            cue = self._cues.popleft()
            if isinstance(cue, _Phrase):
                self._begin(cue)
            elif cue.end - cue.start >= PAUSE and cue.start > 0:
                self._rest(cue)
        if self._end is not None and moment >= self._end - LAST_LOOK:
            self._gaze.rest(self._end - LAST_LOOK)
            self._end = None

    def _begin(self, phrase: _Phrase) -> None:
        self._expression.phrase(phrase.start, phrase.asked)
        self._posture.ask(phrase.start, phrase.asked)
        self._posture.shift(phrase.start, 0.25)
        self._look_away(phrase.start, 0.20)

    def _rest(self, pause: _Pause) -> None:
        """The clip's own end is no place to look away or to take a breath."""
        delay, length = self._when.uniform(0.0, 0.15), pause.end - pause.start
        self._expression.pause(pause.start)
        self._posture.shift(pause.start, 0.40)
        self._blinks.hint(pause.start + delay, 0.60)
        if self._end is not None and pause.end >= self._end:
            return
        if length >= BREATH:
            self._breathing.gasp(pause.start, min(max(length, GASP[0]), GASP[1]))
        if length >= 0.35:
            self._look_away(pause.start, 0.35)

    def _look_away(self, moment: float, chance: float) -> None:
        """Eyes that turn far often blink on the way."""
        if self._gaze.glance(moment, chance):
            self._blinks.hint(moment, 0.6)


def _sway(held: Held, nod: float, awake: float) -> tuple[float, float]:
    """A nod carries the head down a little."""
    return awake * held.sway[0], awake * (held.sway[1] + 0.6 * nod)
