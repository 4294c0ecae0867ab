"""One sentence to speech."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from core.catalogue import Voice
from core.kinds import Tone
from worker.engines.base import Engine


@dataclass(frozen=True)
class Phoneme:
    """An IPA phoneme (stress mark ˈ or ˌ in front where it carries one) and its times in seconds
    from the start of its Speech."""

    ipa: str
    start: float
    end: float


@dataclass(frozen=True)
class Speech:
    """A piece of sound: samples (n,) float32 mono, -1 … 1, at sample_rate Hz; its phonemes in order of time,
    or None where the engine does not know them. text and language (BCP 47 primary tag): what is said, where known."""

    samples: NDArray[np.float32]
    sample_rate: int
    phonemes: tuple[Phoneme, ...] | None
    text: str | None = None
    language: str | None = None

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.sample_rate


class TTSEngine(Engine, Protocol):
    """Layer 4.

    finished: what it speaks is used as it comes: at the loudness, with the ends and the pause that worker.voicing gives
    to the others, and of a length that follows from the text by rule. The others are measured, and spoken again where
    they went wrong.
    """

    finished: ClassVar[bool]

    def speak(
        self,
        text: str,
        *,
        language: str,
        voice: Voice,
        tone: Tone = Tone.NEUTRAL,
        intensity: float = 0.0,
        take: int = 0,
    ) -> Iterator[Speech]:
        """One sentence; pieces of one sample rate that follow each other without a gap. Raises TTSError.

        take: which attempt at this sentence it is. The same take of the same sentence sounds the same; an engine that
        speaks by chance draws anew for another.
        """
        ...
