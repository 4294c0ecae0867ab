"""What of a recording's spectrum is the voice: nothing below 60 Hz, and much above what a telephone carries."""

from __future__ import annotations

import numpy as np

from worker.adding.listening import Sound

RUMBLE = (45.0, 60.0)
"""Hertz: all below the first is taken out, nothing above the second; the deepest voices begin at 65."""
SPEECH, HIGH = (300.0, 3400.0), (4200.0, 7000.0)
"""The telephone's band (ITU-T G.712), and what lies above it with some room for a filter's slope."""
NARROW_DB = -50.0
"""HIGH below SPEECH, both as power a hertz: wide recordings of readers have -12 to -40, telephones -60 and less."""


def cleaned(sound: Sound, rate: int) -> Sound:
    """Without the direct current, the rumble and the mains' 50 Hz: in phase, its levels kept."""
    spectrum = np.fft.rfft(sound.astype(np.float64))
    hertz = np.arange(len(spectrum)) * rate / len(sound)
    spectrum *= np.clip((hertz - RUMBLE[0]) / (RUMBLE[1] - RUMBLE[0]), 0, 1)
    return np.asarray(np.fft.irfft(spectrum, len(sound)), np.float32)


def narrow(sound: Sound, rate: int) -> bool:
    """Whether it came by a telephone, or by a microphone of that kind: nothing above 4 kHz."""
    power = np.abs(np.fft.rfft(sound.astype(np.float64))) ** 2
    hertz = np.arange(len(power)) * rate / len(sound)
    speech, high = (power[(hertz >= low) & (hertz < top)].mean() for low, top in (SPEECH, HIGH))
    return bool(10 * np.log10((high + 1e-12) / (speech + 1e-12)) < NARROW_DB)
