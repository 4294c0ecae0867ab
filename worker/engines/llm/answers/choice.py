"""What the engine chose to say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Choice:
    """ids: of the answers that are told, in order; none for small talk, and where nothing is known. small: whether it
    is small talk. named: by kind, the ids (of `count`, the figures) of what the last answer is about."""

    ids: tuple[str, ...]
    small: bool
    text: str
    named: Mapping[str, str] = field(default_factory=dict)
