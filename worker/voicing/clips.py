"""Whether a recording is one that a model can imitate."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np

from core.catalogue import Voice
from core.errors import TTSError

SECONDS = (1.0, 30.0)
"""The longest is CosyVoice's own limit, kept for all; below the shortest there is nothing to imitate."""
_SILENT = 10 ** (-50 / 20)
"""The peak of a recording in which nothing is said, of full scale."""


def check(voice: Voice, clip: Path, least_rate: int) -> None:
    """Raises TTSError for a clip of a voice of which nothing could be learnt. least_rate: hertz, the model's own."""
    lack = _lack(clip, least_rate)
    if lack:
        raise TTSError(f"voice {voice.id}: {clip.name} {lack}: record it anew with `smarttalker voice add`")


def _lack(clip: Path, least_rate: int) -> str:
    try:
        with wave.open(str(clip), "rb") as file:
            rate, width, frames = file.getframerate(), file.getsampwidth(), file.getnframes()
            seconds = frames / rate
            if not SECONDS[0] <= seconds <= SECONDS[1]:
                return f"is {seconds:.2f} s long, and {SECONDS[0]:g} to {SECONDS[1]:g} s are needed"
            if rate < least_rate:
                return f"has {rate} Hz, and {least_rate} are the least"
            return "is silent" if _peak(file.readframes(frames), width) < _SILENT else ""
    except (OSError, EOFError, ValueError, wave.Error) as error:
        return f"is no WAV file of whole numbers ({error})"


def _peak(pcm: bytes, width: int) -> float:
    """Of little-endian samples of that many bytes, of full scale; by their first two bytes."""
    if width == 1:
        samples = (np.frombuffer(pcm, np.uint8).astype(np.int32) - 128) << 8
    else:
        rows = np.frombuffer(pcm[: len(pcm) // width * width], np.uint8).reshape(-1, width)
        samples = rows[:, -2:].copy().view("<i2").astype(np.int32)
    return float(np.abs(samples).max(initial=0)) / 32768
