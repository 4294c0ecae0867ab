"""The search for a persona's questions."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from worker.engines.asr.pocketsphinx.decoding import SETTINGS, Spoken, path_of
from worker.engines.asr.pocketsphinx.grammar import Grammar, grammar_of
from worker.engines.asr.pocketsphinx.spelling import spelt_out

_MOST = 16
_BEAMS = {"beam": 1e-90, "pbeam": 1e-90, "wbeam": 1e-70}
"""Wider than the defaults (1e-48, 1e-48, 7e-29), which lose the right sentence before its end one time in ten; with
wider ones yet it takes four times as long and finds no more."""


class QuestionSearch:
    """Keeps the grammars of the last personas; made ready for a new one in about 0.3 s. Not safe for threads."""

    def __init__(self) -> None:
        from pocketsphinx import Decoder

        self._decoder: Any = Decoder(lm=None, **SETTINGS, **_BEAMS)
        self._grammars: OrderedDict[tuple[str, ...], tuple[str, Grammar]] = OrderedDict()
        self._made = 0

    def prepare(self, hints: Sequence[str]) -> Grammar | None:
        """What is listened for with these hints from now on; None where none of them can be."""
        key = tuple(hints)
        if key not in self._grammars:
            grammar = grammar_of(hints)
            if grammar is None:
                return None
            self._grammars[key] = self._learnt(grammar), grammar
            self._forget()
        self._grammars.move_to_end(key)
        name, grammar = self._grammars[key]
        self._decoder.activate_search(name)
        return grammar

    def path(self, raw: bytes) -> list[Spoken]:
        """The path through the grammar that fits 16-bit samples at 16 kHz best; empty where none reaches its end."""
        return path_of(self._decoder, raw)

    def _learnt(self, grammar: Grammar) -> str:
        for word in sorted(grammar.words):
            if self._decoder.lookup_word(word) is None:
                self._decoder.add_word(word, spelt_out(word), False)
        self._made += 1
        name = f"questions{self._made}"
        arcs = [(start, end, probability, word)[: 4 if word else 3] for start, end, probability, word in grammar.arcs]
        self._decoder.add_fsg(name, self._decoder.create_fsg(name, grammar.start, grammar.end, arcs))
        return name

    def _forget(self) -> None:
        if len(self._grammars) > _MOST:
            name, _ = self._grammars.popitem(last=False)[1]
            self._decoder.remove_search(name)
