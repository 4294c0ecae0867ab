"""The recording that a voice is spoken by: which one, whether it can be used, and whose words it holds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.catalogue import Voice
from core.errors import TTSError
from worker.engines.tts.cosyvoice.prompts import said
from worker.voicing import clips

LEAST_RATE = 16_000
"""Hertz, upstream's own."""
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
    clips.check(voice, clip, LEAST_RATE)
