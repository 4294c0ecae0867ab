"""Tokens as a bag of weighted features."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise

from worker.engines.llm.answers.arabic import skeleton
from worker.engines.llm.answers.reading import Token

_ASKS, _MEANS, _EXACT, _IMPLIED, _FILLS, _PAIR, _JOINT, _BONES, _NAME = 1.2, 1.0, 0.35, 0.4, 0.4, 0.8, 0.3, 0.5, 0.4
"""How much a question word, a meaning, the word itself, what is implied, a filler, two meanings in order, a word and
a filler in order, the consonants of an Arabic word, and the name of an entity count. Chosen among halves and doubles
on the shipped personas, each phrasing left out, and on tests/data/answers; the results hardly depend on any of them."""


def features(tokens: Sequence[Token]) -> Mapping[str, float]:
    """What a text is made of, with weights."""
    found: dict[str, float] = defaultdict(float)
    for token in tokens:
        for name, weight in _of(token).items():
            found[name] = max(found[name], weight)
    chain = [token.key for token in tokens if token.key[0] != "~"]
    for first, second in pairwise(chain):
        found[f"{first} {second}"] = _PAIR
    for before, after in pairwise(token.key for token in tokens):
        if "~" in (before[0], after[0]):
            found[f"{before}_{after}"] = _JOINT
    return found


def _of(token: Token) -> dict[str, float]:
    kind = token.key[0]
    if kind == "~":
        return {token.key: _FILLS}
    own = {token.key: _ASKS if token.is_asking else _MEANS}
    own.update(dict.fromkeys(token.also, _IMPLIED))
    if token.exact:
        own[token.exact] = _NAME if kind == "@" else _EXACT
    if kind == "'" and not token.key[1:2].isascii() and (bones := skeleton(token.words[0])):
        own["^" + bones] = _BONES
    return own
