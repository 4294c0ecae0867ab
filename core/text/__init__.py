"""Text in Arabic and English: folding for matching, sentences as they come, and what a voice can read aloud."""

from __future__ import annotations

from core.text.counting import counted
from core.text.folding import fold, is_diacritised, without_marks
from core.text.sentences import SentenceSplitter, detect_language, sentences
from core.text.speech import speakable

__all__ = [
    "SentenceSplitter",
    "counted",
    "detect_language",
    "fold",
    "is_diacritised",
    "sentences",
    "speakable",
    "without_marks",
]
