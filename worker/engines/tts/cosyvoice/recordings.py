"""The recording that a voice is spoken by: which one, whether it can be used, and whose words it holds."""

from __future__ import annotations

import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.catalogue import Voice
from core.errors import TTSError
from worker.engines.tts.cosyvoice.prompts import said

SECONDS = (1.0, 30.0)
"""The longest is upstream's own limit; below the shortest there is nothing to imitate."""
LEAST_RATE = 16_000
"""Hertz, upstream's own."""
_SILENT = 10 ** (-50 / 20)
"""The peak of a recording in which nothing is said, of full scale."""
_ENOUGH = 1 / 3
"""A text much shorter than the recording's words is often said together with some of them. Upstream warns from a half
on, but counts a fixed prompt of 44 characters with the words, and so warns of nearly all."""

Stamp = tuple[str, int, int]


@dataclass(frozen=True)
class Recording:
    """A clip that can be used. stamp: tells this state of the file from any other. words: what is said in it, as the
    model reads it, where that is of use: known, and in the language that is to be spoken; else empty."""

    clip: Path
    stamp: Stamp
    words: str

    def recited(self, text: str, take: int) -> bool:
        """Whether the language model is to hear the recording and its words too, which sounds most like the speaker,
        but may repeat or leave out words. Where that has failed, the sound alone must do."""
        return bool(self.words) and take == 0 and len(text) >= _ENOUGH * len(self.words)


def recording(voice: Voice, language: str) -> Recording:
    """The voice's best one for the language. Raises TTSError where there is none, or none that can be used."""
    found = voice.reference(language)
    if found is None:
        raise TTSError(
            f"voice {voice.id} has no recording, and CosyVoice needs one: add it with `smarttalker voice add`"
        )
    words = said(found.transcript or "", language) if found.language == language else ""
    try:
        return Recording(found.clip, stamp(found.clip), words)
    except OSError as error:
        raise TTSError(f"voice {voice.id}: {found.clip} can't be read: {error.strerror or error}") from error


def stamp(clip: Path) -> Stamp:
    """Raises OSError."""
    state = clip.stat()
    return str(clip), state.st_mtime_ns, state.st_size


def check(voice: Voice, clip: Path) -> None:
    """Raises TTSError for a clip that upstream would refuse, or of which nothing could be learnt."""
    lack = _lack(clip)
    if lack:
        raise TTSError(f"voice {voice.id}: {clip.name} {lack}: record it anew with `smarttalker voice add`")


def _lack(clip: Path) -> str:
    try:
        with wave.open(str(clip), "rb") as file:
            rate, width, frames = file.getframerate(), file.getsampwidth(), file.getnframes()
            seconds = frames / rate
            if not SECONDS[0] <= seconds <= SECONDS[1]:
                return f"is {seconds:.2f} s long, and {SECONDS[0]:g} to {SECONDS[1]:g} s are needed"
            if rate < LEAST_RATE:
                return f"has {rate} Hz, and {LEAST_RATE} are the least"
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
