"""The recordings of a second synthesiser with the true times of their phones (tests/data/flite)."""

from __future__ import annotations

import json
from functools import cache

import av
import numpy as np

from core.settings import HOME
from worker.engines.tts.base import Phoneme, Speech

DATA = HOME / "tests" / "data" / "flite"
RATE = 48_000


@cache
def clips() -> list[Speech]:
    """At RATE, in English, with text and phonemes."""
    found = []
    for clip in json.loads((DATA / "clips.json").read_text(encoding="utf-8")):
        with av.open(str(DATA / clip["file"])) as container:
            sound = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
        starts = [0.0, *(end for _, end in clip["phones"])]
        phones = tuple(
            Phoneme(ipa, start, end) for start, (ipa, end) in zip(starts, clip["phones"], strict=False) if ipa
        )
        found.append(Speech(sound.astype(np.float32), RATE, phones, clip["text"], "en"))
    return found
