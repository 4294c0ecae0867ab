"""How a sentence is spoken: speed, pitch and its range, by voice and tone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.kinds import Tone

DEFAULTS: dict[str, int] = {"rate": 165, "pitch": 50, "range": 50}
"""Words a minute; 0 to 100; 0 to 100, where 50 is the variant's own."""
_LIMITS = {"rate": (90, 320), "pitch": (0, 99), "range": (0, 100)}

_TONES: dict[Tone, Mapping[str, int]] = {
    Tone.NEUTRAL: {},
    Tone.CHEERFUL: {"rate": 10, "pitch": 5, "range": 15},
    Tone.LIVELY: {"rate": 14, "pitch": 4, "range": 20},
    Tone.GENTLE: {"rate": -14, "pitch": -2, "range": -8},
    Tone.CALM: {"rate": -10, "pitch": -4, "range": -15},
}
"""What is added at full intensity, and half of it at none (the tone itself is a decision already made)."""


def settings_for(settings: Mapping[str, Any], tone: Tone, intensity: float) -> dict[str, int]:
    """rate, pitch and range of a voice's `[engines.espeak]` table as this tone asks for, within eSpeak's limits."""
    strength = 0.5 + 0.5 * min(max(intensity, 0.0), 1.0)
    return {name: _setting(name, settings, round(_TONES[tone].get(name, 0) * strength)) for name in DEFAULTS}


def _setting(name: str, settings: Mapping[str, Any], more: int) -> int:
    lowest, highest = _LIMITS[name]
    return min(max(int(settings.get(name, DEFAULTS[name])) + more, lowest), highest)
