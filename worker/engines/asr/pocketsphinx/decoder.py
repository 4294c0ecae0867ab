"""The C decoder: one acoustic model, a search for each set of sentences, and how well a sentence fits."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from worker.engines.asr.pocketsphinx.grammar import jsgf, spelt_out

_MOST_SEARCHES = 16
_BEAMS = {"beam": 1e-60, "pbeam": 1e-60, "wbeam": 1e-40}
"""Wider than the defaults (1e-48, 1e-48, 7e-29): one sentence in fifty more is decoded to its end, at 60 ms each."""
_LEAST = 1e-300


@dataclass(frozen=True)
class Decoded:
    """words: the sentence found. fit: mean log-likelihood a frame of its words, each frame against the best of all
    the model's sounds (0 is a perfect fit). pace: frames of 10 ms for each phone."""

    words: str
    fit: float
    pace: float


class GrammarDecoder:
    """Holds about 30 MB while it lives."""

    def __init__(self) -> None:
        from pocketsphinx import Decoder

        self._decoder: Any = Decoder(lm=None, loglevel="FATAL", cmn="batch", **_BEAMS)
        self._searches: OrderedDict[tuple[str, ...], str] = OrderedDict()
        self._made = 0

    def decode(self, raw: bytes, sentences: Sequence[str]) -> Decoded | None:
        """The sentence that fits 16-bit samples at 16 kHz best; None where the grammar was not passed to its end."""
        self._decoder.activate_search(self._search(tuple(sentences)))
        self._decoder.reinit_feat()  # forgets the last recording, so that the same sound gives the same result
        self._decoder.start_utt()
        self._decoder.process_raw(raw, full_utt=True)
        self._decoder.end_utt()
        found = self._decoder.hyp()
        if found is None or found.hypstr not in sentences:
            return None
        return self._measured(found.hypstr)

    def _measured(self, words: str) -> Decoded:
        spoken = [segment for segment in self._decoder.seg() if segment.word[:1] not in "<+("]
        frames = sum(segment.end_frame - segment.start_frame + 1 for segment in spoken) or 1
        fit = sum(math.log(max(segment.ascore, _LEAST)) for segment in spoken) / frames
        phones = sum(len((self._decoder.lookup_word(word) or "").split()) for word in words.split())
        return Decoded(words, fit, frames / max(phones, 1))

    def _search(self, sentences: tuple[str, ...]) -> str:
        """The name of the search for these sentences; the least used is given up for a new one."""
        if sentences in self._searches:
            self._searches.move_to_end(sentences)
            return self._searches[sentences]
        if len(self._searches) >= _MOST_SEARCHES:
            self._decoder.remove_search(self._searches.popitem(last=False)[1])
        self._learn(sentences)
        self._made += 1
        name = self._searches[sentences] = f"questions{self._made}"
        self._decoder.add_jsgf_string(name, jsgf(sentences))
        return name

    def _learn(self, sentences: tuple[str, ...]) -> None:
        new = {word for sentence in sentences for word in sentence.split() if self._decoder.lookup_word(word) is None}
        for word in sorted(new):
            self._decoder.add_word(word, spelt_out(word), True)
