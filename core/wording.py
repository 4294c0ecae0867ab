"""What a person or a model says of a recording of a voice: its language and its words."""

from __future__ import annotations

import re
import unicodedata

from core.catalogue import ANY
from core.errors import VoiceInvalid

MOST = 600
"""Characters of a transcript: 30 seconds of quick speech have 550."""
_TAG = re.compile(r"([a-z]{2})(?:[-_][a-z0-9]{2,8})*\Z")
_JOINERS = "\u200c\u200d"
"""They shape words of several languages; every other invisible character goes."""


def checked_language(said: str | None) -> str:
    """A BCP 47 primary tag of two letters ("ar-SA" is "ar"); ANY for None and an empty text. Raises VoiceInvalid."""
    plain = (said or "").strip().lower()
    if plain in ("", ANY):
        return ANY
    found = _TAG.match(plain)
    if found is None:
        raise VoiceInvalid(
            "a language is told by its two letters, as ar or en", message_id="error-voice-language", reason="language"
        )
    return found[1]


def checked_words(said: str | None) -> str | None:
    """The words without control characters, white space as single spaces; None for None and an empty text.

    Raises VoiceInvalid for more than MOST characters, and for words without a letter.
    """
    plain = unicodedata.normalize("NFC", (said or "")[: 4 * MOST])
    seen = "".join(" " if char.isspace() else char for char in plain if char.isspace() or _seen(char))
    words = " ".join(seen.split())
    if not words:
        return None
    if len(words) > MOST or not any(char.isalpha() for char in words):
        raise VoiceInvalid(
            f"a transcript has 1 to {MOST} characters and letters among them",
            message_id="error-voice-transcript",
            reason="transcript",
        )
    return words


def _seen(char: str) -> bool:
    return char in _JOINERS or not unicodedata.category(char).startswith("C")
