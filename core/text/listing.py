"""Names one after the other, as they are spoken."""

from __future__ import annotations

from collections.abc import Sequence

_OTHERS = (", ", " or ")
_JOINS = {"ar": (" و", " و"), "en": _OTHERS}
_CHOICES = {"ar": (" أم ", " أم ")}


def listed(names: Sequence[str], language: str, *, choice: bool = False) -> str:
    """`a, b or c`; in Arabic every one with و, or, where one of them is to be chosen, with أم."""
    comma, last = (_CHOICES if choice else _JOINS).get(language) or _JOINS.get(language, _OTHERS)
    return comma.join(names[:-1]) + last + names[-1] if len(names) > 1 else "".join(names)
