"""How a sentence is to be spoken, in the words that VoxCPM2 takes before it.

They stand in brackets at the very beginning, `(slightly faster, cheerful tone)Welcome.`, half-width and with no blank
after them, in English or Chinese whatever is spoken (upstream's README, "Controllable Voice Cloning", and its app.py).
They steer beside a recording alone. Beside a recording with its words they are read out: a style and a transcript
exclude each other (upstream's cli.py refuses the two together).
"""

from __future__ import annotations

import re

from core.kinds import Tone

_DEGREES = 3
_TONES: dict[Tone, tuple[str, str, str]] = {
    Tone.NEUTRAL: ("", "", ""),
    Tone.CHEERFUL: ("slightly cheerful tone", "cheerful, warm tone", "very cheerful, bright tone"),
    Tone.GENTLE: ("gentle tone", "soft, gentle tone", "very soft, gentle tone, slightly slower"),
    Tone.CALM: ("calm tone", "calm, reassuring tone", "very calm, reassuring tone, slightly slower"),
    Tone.LIVELY: ("slightly lively tone", "lively tone, slightly faster", "very lively, excited tone, slightly faster"),
}
"""From faint to strong. The tone itself is a decision already made, so that none of them is without words."""

_OTHER = re.compile(r"[^\w\s,'’،，、-]|_")
_BLANKS = re.compile(r"\s+")
_MOST = 200
"""Characters of a voice's own words; each is said to the model before each sentence."""


def style(words: str, tone: Tone, intensity: float) -> str:
    """What goes before a sentence, brackets included; empty where there is nothing to ask for. words: the voice's own,
    of which letters, digits and commas are kept. intensity: 0 to 1."""
    degree = min(int(min(max(intensity, 0.0), 1.0) * _DEGREES), _DEGREES - 1)
    own = _BLANKS.sub(" ", _OTHER.sub(" ", words))[:_MOST].strip(" ,،，、-")
    asked = ", ".join(each for each in (own, _TONES[tone][degree]) if each)
    return f"({asked})" if asked else ""
