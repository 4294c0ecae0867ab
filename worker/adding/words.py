"""Whether words and a recording belong together."""

from __future__ import annotations

from core.catalogue import ANY
from core.text import detect_language
from worker.adding.recording import refuse
from worker.voicing.lengths import Lengths


def check_fit(words: str, language: str, spoken_s: float) -> None:
    """Whether somebody can have said the words in so many seconds of speech, and whether Arabic is in Arabic letters.

    Raises VoiceInvalid.
    """
    lengths = Lengths.of(words, language)
    if not lengths.least_s <= spoken_s <= lengths.most_s or (language == "ar" and detect_language(words) != "ar"):
        raise refuse("transcript_unfit")


def language_of(words: str, language: str) -> str:
    """The language; where it is not known, Arabic for words in Arabic letters: other scripts have many languages."""
    return "ar" if language == ANY and detect_language(words) == "ar" else language
