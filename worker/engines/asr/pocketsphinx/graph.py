"""Sentences as a graph of words that shares what they begin and end with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

Arc = tuple[int, int, float, str]
"""From a state, to a state, probability, word; the empty word takes no time."""


class Graph:
    """States are numbers from 0. alike: words of which any may stand for the first of them."""

    def __init__(self, alike: Sequence[str] = ()) -> None:
        self.arcs: list[Arc] = []
        self._alike = {word: tuple(alike) for word in alike[:1]}
        self._states = 0
        self._known: dict[tuple[tuple[str, int], ...], int] = {}

    def state(self) -> int:
        """A new one."""
        self._states += 1
        return self._states - 1

    def path(self, start: int, end: int, words: Sequence[str], probability: float) -> None:
        """One phrase between two states."""
        for place, word in enumerate(words):
            after = end if place + 1 == len(words) else self.state()
            self.arcs.append((start, after, probability if place == 0 else 1.0, word))
            start = after

    def skip(self, start: int, end: int) -> None:
        """Nothing need be said between two states."""
        self.arcs.append((start, end, 1.0, ""))

    def joined(self, sentences: Iterable[Sequence[str]], end: int) -> int:
        """The state from which any one of the sentences (no empty ones) leads to `end`.

        A tree of their beginnings, of which equal branches are made one from the leaves up; the first state is its own.
        """
        tree: dict[str, Any] = {}
        for sentence in sentences:
            node = tree
            for word in sentence:
                node = node.setdefault(word, {})
            node[""] = {}
        return self._new(self._branches(tree, end))

    def _branches(self, node: dict[str, Any], end: int) -> tuple[tuple[str, int], ...]:
        """Where each word leads, and for a word that may be the last one also to the end."""
        arcs = []
        for word, after in sorted(node.items()):
            if "" in after:
                arcs.append((word, end))
            if after.keys() - {""}:
                arcs.append((word, self._shared(self._branches(after, end))))
        return tuple(arc for arc in arcs if arc[0])

    def _shared(self, branches: tuple[tuple[str, int], ...]) -> int:
        if branches not in self._known:
            self._known[branches] = self._new(branches)
        return self._known[branches]

    def _new(self, branches: tuple[tuple[str, int], ...]) -> int:
        made = self.state()
        for word, after in branches:
            for said in self._alike.get(word, (word,)):
                self.arcs.append((made, after, 1.0, said))
        return made
