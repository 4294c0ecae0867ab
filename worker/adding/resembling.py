"""Whether another recording of a voice can be of the same person, as far as pitch can tell."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np

from worker.adding import described
from worker.adding.listening import Heard, listen
from worker.adding.recording import RATE, load, refuse

FAR = 6.0
"""Semitones between two recordings' median pitches: one person's in two languages or two moods lie 1 to 3 apart, a
man's and a woman's 10."""


def check_same(heard: Heard, folder: Path) -> None:
    """Raises VoiceInvalid where the voice's recordings are all far off; those that can't be read tell nothing."""
    found = (_pitch(folder, entry["clip"]) for entry in described.read(folder)["references"].values())
    pitches = [pitch for pitch in found if pitch is not None]
    own = float(np.median(heard.voiced))
    if pitches and min(abs(12 * np.log2(own / pitch)) for pitch in pitches) > FAR:
        raise refuse("other_speaker")


def _pitch(folder: Path, clip: str) -> float | None:
    """Median hertz of a voice's clip."""
    try:
        voiced = listen(load(folder / clip), RATE).voiced
    except (OSError, ValueError, wave.Error):
        return None
    return float(np.median(voiced)) if len(voiced) else None
