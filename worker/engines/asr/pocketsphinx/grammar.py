"""From hints to a compact graph of words, and from the words that were heard back to the hint."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

from core.text import detect_language
from worker.engines.asr.pocketsphinx.graph import Arc, Graph
from worker.engines.asr.pocketsphinx.phrasing import ARTICLES, CLOSINGS, OPENINGS, REQUESTS, indirect, ways_of

_WORD = re.compile(r"[a-z]+(?:'[a-z]+)*")
_DIGIT = re.compile(r"\d")
_EXTRA = 1e-15
"""How likely an opening or a closing is: it costs as much as 60 ms that fit badly, lest noise is taken for one. Much
less and it falls out of the search's beams."""
_MOST_OPENINGS = 2

Words = tuple[str, ...]


@dataclass(frozen=True)
class Grammar:
    """All that may be said. hints: the hint by the words of each way of saying it, its articles alike."""

    start: int
    end: int
    arcs: Sequence[Arc]
    hints: Mapping[Words, str]

    @property
    def words(self) -> set[str]:
        return {word for *_, word in self.arcs if word}

    def question_in(self, said: Sequence[str]) -> str | None:
        """The hint in the words of a path through the graph, openings and closings around it."""
        spans = sorted(combinations(range(len(said) + 1), 2), key=lambda span: span[0] - span[1])
        for first, last in spans:
            if (hint := self.hints.get(_alike(said[first:last]))) is not None:
                return hint
        return None


def grammar_of(hints: Sequence[str]) -> Grammar | None:
    """English hints with what people say around them; None where there are none. Hints in other languages or with
    digits can't be in it."""
    asked = _by_words(hints)
    if not asked:
        return None
    after = {_alike(turned.split()): hint for words, hint in asked.items() if (turned := indirect(" ".join(words)))}
    graph = Graph(ARTICLES)
    end, asked_at = graph.state(), graph.state()
    graph.skip(asked_at, end)
    for words in CLOSINGS:
        graph.path(asked_at, end, words.split(), _EXTRA)
    requested = graph.joined([*asked, *after], asked_at)
    starts = [graph.joined(asked, asked_at) for _ in range(_MOST_OPENINGS + 1)]
    for start, following in pairwise(starts):
        for words in OPENINGS:
            graph.path(start, following, words.split(), _EXTRA)
    for start in starts:
        for words in REQUESTS:
            graph.path(start, requested, words.split(), _EXTRA)
    return Grammar(starts[0], end, graph.arcs, {**after, **asked})


def _by_words(hints: Sequence[str]) -> dict[Words, str]:
    """Each way of saying a hint; where two hints can be said alike, the one that is written so."""
    usable = (hint for hint in hints if detect_language(hint) == "en" and not _DIGIT.search(hint))
    spoken = [(hint, _WORD.findall(hint.lower().replace("’", "'"))) for hint in usable]
    written = {_alike(words): hint for hint, words in reversed(spoken) if words}
    others = {_alike(way.split()): hint for hint, words in spoken if words for way in ways_of(" ".join(words))}
    return {**others, **written}


def _alike(words: Sequence[str]) -> Words:
    return tuple(ARTICLES[0] if word in ARTICLES else word for word in words)
