"""Values out of JSON that anybody may have made: whatever is there, each function answers, none raises."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from core.kinds import LANGUAGES

_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters but tab and line ends, and halves of surrogate pairs: neither PostgreSQL nor UTF-8 takes them."""
_LARGEST = 2**63 - 1
_NAME_LENGTH = 128
_ID_LENGTH = 512
"""A file_id has some 80 characters; callback data at most 64 bytes."""


def part(of: Any, key: str) -> Mapping[str, Any]:
    """The object under a key; an empty one where there is none."""
    value = of.get(key) if isinstance(of, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def parts(of: Any, key: str, most: int) -> list[Mapping[str, Any]]:
    """The objects of the list under a key, at most so many."""
    value = of.get(key) if isinstance(of, Mapping) else None
    found = value[:most] if isinstance(value, list) else []
    return [each for each in found if isinstance(each, Mapping)]


def integer(value: Any) -> int | None:
    """A number of at most 64 bits."""
    plain = isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _LARGEST
    return value if plain else None


def size(value: Any) -> int | None:
    """A number that is not negative."""
    number = integer(value)
    return number if number is not None and number >= 0 else None


def word(value: Any, longest: int = _ID_LENGTH) -> str | None:
    """An id, or callback data: what can't be one whole is none."""
    fits = isinstance(value, str) and 0 < len(value) <= longest and not _UNPRINTABLE.search(value)
    return value if fits else None


def clean(text: str) -> str:
    """The text without what can't be stored."""
    return _UNPRINTABLE.sub("", text)


def moment(value: Any) -> datetime | None:
    """A Unix time as an aware datetime."""
    seconds = integer(value)
    try:
        return datetime.fromtimestamp(seconds, UTC) if seconds is not None and seconds > 0 else None
    except (ValueError, OverflowError, OSError):
        return None


def full_name(person: Mapping[str, Any]) -> str | None:
    names = [person.get("first_name"), person.get("last_name")]
    joined = " ".join(name for name in names if isinstance(name, str))
    return " ".join(clean(joined[: 4 * _NAME_LENGTH]).split())[:_NAME_LENGTH].strip() or None


def app_language(person: Mapping[str, Any]) -> str | None:
    """The language of the person's app (an IETF tag), where it is one of ours."""
    tag = person.get("language_code")
    language = tag[:2].lower() if isinstance(tag, str) and tag[2:3] in ("", "-", "_") else None
    return language if language in LANGUAGES else None
