"""Nouns that are counted."""

from __future__ import annotations

_PLURALS = {"person": "people", "foot": "feet", "penny": "pence", "fils": "fils", "baisa": "baisa", "hertz": "hertz"}


def counted_noun(number: float, singular: str) -> str:
    """The noun as it stands behind a number: ticket, tickets."""
    if number == 1:
        return singular
    head, _, tail = singular.partition(" ")
    if tail and (tail.startswith("per ") or head == "degree"):
        return f"{plural(head)} {tail}"
    return plural(singular)


def plural(singular: str) -> str:
    """The plural of what we count; regular where nothing else is said."""
    if singular in _PLURALS:
        return _PLURALS[singular]
    if singular.endswith(("s", "x", "ch", "sh")):
        return f"{singular}es"
    if singular.endswith("y") and singular[-2] not in "aeiou":
        return f"{singular[:-1]}ies"
    return f"{singular}s"
