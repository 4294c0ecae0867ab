"""Values out of JSON that somebody else wrote: what is not as it should be is as if it were not there."""

from __future__ import annotations

import re
from typing import Any

MAX_ID = 512
"""Characters of an id; WhatsApp's own message ids have about 60."""
MAX_PROSE = 65_536
"""Characters of what somebody wrote, as a message has at most 65,536."""
_HALF = re.compile("[\ud800-\udfff]")
_LARGEST = 10**30


def mapping(value: Any) -> dict[str, Any]:
    """The object, or an empty one."""
    return value if isinstance(value, dict) else {}


def objects(value: Any) -> list[dict[str, Any]]:
    """The objects of a list, or of none."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def word(value: Any, longest: int = MAX_ID) -> str | None:
    """An id: printable ASCII without spaces, not empty; a number counts as its digits."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _LARGEST:
        value = str(value)
    if not isinstance(value, str) or not 0 < len(value) <= longest:
        return None
    return value if value.isascii() and value.isprintable() and " " not in value else None


def number(value: Any) -> int | None:
    """A whole number that is not negative, also as a string of at most 15 digits."""
    if isinstance(value, str) and len(value) <= 15 and value.isascii() and value.isdigit():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**15 else None


def prose(value: Any, longest: int = MAX_PROSE) -> str | None:
    """What somebody wrote, without NULs and halves of surrogate pairs (no database takes those); None where empty."""
    if not isinstance(value, str):
        return None
    return _HALF.sub("\ufffd", value[:longest]).replace("\0", "") or None
