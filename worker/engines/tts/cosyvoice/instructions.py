"""The reply's tone as CosyVoice 3 was trained to be told it."""

from __future__ import annotations

from dataclasses import dataclass

from core.kinds import Tone

HAPPY = "请非常开心地说一句话。"
SOFT = "Please say a sentence in a very soft voice."
"""Two of the instructions of its training, word for word (`instruct_list` in upstream's cosyvoice/utils/common.py);
others are followed less, and longer ones are sometimes read out. Their language need not be the text's."""

_FROM = 0.5
"""The intensity from which on a tone is heard. An instruction has no degrees, and says "very"."""


@dataclass(frozen=True)
class Manner:
    """instruction: empty for none, which sounds most like the recording. pace: times the voice's own speed."""

    instruction: str = ""
    pace: float = 1.0


_TONES: dict[Tone, Manner] = {
    Tone.NEUTRAL: Manner(),
    Tone.CHEERFUL: Manner(HAPPY),
    Tone.GENTLE: Manner(SOFT),
    Tone.CALM: Manner(SOFT, 0.95),
    # What answers surprise need not be happy news; "as fast as possible" would be far too fast.
    Tone.LIVELY: Manner(pace=1.06),
}


def manner(tone: Tone, intensity: float) -> Manner:
    """How a sentence is to be spoken; plainly where the tone is faint."""
    return _TONES[tone] if intensity >= _FROM else Manner()
