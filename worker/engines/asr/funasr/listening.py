"""What was said in a segment, or nothing where the model invents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from worker.engines.asr.base import SAMPLE_RATE
from worker.engines.asr.funasr.decoding import Decoded
from worker.engines.asr.funasr.doubt import is_doubtful, is_only
from worker.engines.asr.funasr.languages import NAMES
from worker.engines.asr.funasr.segments import Segment

Sound = NDArray[np.float32]


class Decodes(Protocol):
    """What `Decoder` does."""

    def decode(self, sound: Sound, language: str | None, names: Sequence[str] = ()) -> Decoded: ...


@dataclass(frozen=True)
class Listener:
    """language: the one that was asked for (a key of NAMES). names: hotwords."""

    decoder: Decodes
    language: str | None
    names: tuple[str, ...]

    def heard(self, audio: Sound, segment: Segment) -> Decoded | None:
        """What was said in a segment of the recording; None where the model invents. A text of hotwords alone is
        believed only as it comes without them: the model says them back where it understands nothing else."""
        sound = audio[segment.start : segment.end]
        told = NAMES[self.language] if self.language else None
        decoded = self.decoder.decode(sound, told, self.names)
        if self.names and is_only(decoded.text, self.names):
            decoded = self.decoder.decode(sound, told)
        if not decoded.whole or is_doubtful(decoded.text, segment.speech / SAMPLE_RATE, self.language):
            return None
        return decoded
