"""What the library is asked for, and what it tells of the time."""

from __future__ import annotations

from dataclasses import dataclass

Timed = tuple[str, float, float]
"""An IPA phoneme, its start and its end in seconds."""


@dataclass(frozen=True)
class Request:
    """One text to speak. voice: eSpeak's name, `ar+f3`. rate: words a minute. pitch and range: 0 to 100, 50 is the
    variant's own. language: `ar` asks for tashkeel and pausal forms first."""

    text: str
    language: str
    voice: str
    rate: int
    pitch: int
    range: int
