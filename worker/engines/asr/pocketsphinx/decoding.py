"""One pass of the C decoder over a recording."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

SETTINGS = {"bestpath": False, "fwdflat": False, "compallsen": True, "cmn": "batch", "loglevel": "FATAL"}
"""One pass; `compallsen`: every sound of the model is weighed in every frame, so that the scores of two searches can
be compared."""
_SHIFT = 1024
"""What the library divides the scores of one pass by."""
_LEAST = 1e-300
_NOT_SAID = ("<", "[", "+")


@dataclass(frozen=True)
class Spoken:
    """One word of a path: its first and its last frame of 10 ms, and its log-likelihood, each frame against the best
    of all the model's sounds. phones: ARPAbet; none for a pause or a noise."""

    word: str
    first: int
    last: int
    score: float
    phones: tuple[str, ...]

    @property
    def frames(self) -> int:
        return self.last - self.first + 1


def path_of(decoder: Any, raw: bytes) -> list[Spoken]:
    """The words of the active search that fit 16-bit samples at 16 kHz best; none where nothing reaches its end."""
    decoder.reinit_feat()  # forgets the last recording, so that the same sound gives the same result
    decoder.start_utt()
    decoder.process_raw(raw, full_utt=True)
    decoder.end_utt()
    return list(_words(decoder)) if decoder.hyp() is not None else []


def _words(decoder: Any) -> Iterator[Spoken]:
    for segment in decoder.seg():
        if segment.word != "(NULL)":
            score = math.log(max(segment.ascore, _LEAST)) * _SHIFT
            said = not segment.word.startswith(_NOT_SAID)
            phones = (decoder.lookup_word(segment.word) or "").split() if said else ()
            word = segment.word.partition("(")[0]
            yield Spoken(word, segment.start_frame, segment.end_frame, score, tuple(phones))
