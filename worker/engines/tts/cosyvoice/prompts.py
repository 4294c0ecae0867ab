"""What CosyVoice 3 is given to read: the prompt in front, and a text without marks that it would obey."""

from __future__ import annotations

import re

from core.kinds import LANGUAGES
from core.text import speakable
from core.text.markup import plain
from worker.engines.tts.cosyvoice.marks import END

_SYSTEM = "You are a helpful assistant."
"""All its prompts begin so (upstream's example.py)."""
_NOISES = "accent|breath|clucking|cough|hissing|laughter|lipsmack|mn|noise|quick_breath|sigh|vocalized-noise"
_MARK = re.compile(rf"<\|[^<>|]{{0,40}}\|>|</?(?:strong|laughter)>|\[(?:{_NOISES})\](?!\()")
"""What its tokenizer takes for orders (upstream's cosyvoice/tokenizer/tokenizer.py). Its marks of single sounds, `[ZH]`
and `[zhong]`, lose their brackets with all others."""
_UNSPOKEN = re.compile(r"[^\w\s.,!?;:'\"()\-。，、！？；：「」『』（）…～·¿¡«»“”‘’%°€$£¥+/&@]|_")
_BLANKS = re.compile(r"\s+")


def said(text: str, language: str) -> str:
    """What of a text is said in the language; empty where nothing can be. Figures and signs are written as words in
    the languages that we know; in others CosyVoice reads them itself (README, "Text Normalization")."""
    unmarked = _MARK.sub(" ", text)
    if language in LANGUAGES:
        return speakable(unmarked, language)
    spoken = _BLANKS.sub(" ", _UNSPOKEN.sub(" ", plain(unmarked))).strip()
    return spoken if any(char.isalnum() for char in spoken) else ""


def reciting(transcript: str) -> str:
    """The prompt in front of a recording's words, which the language model hears along with its sound."""
    return f"{_SYSTEM}{END}{transcript}"


def instructing(instruction: str = "") -> str:
    """The prompt of an instruction, or of none: then the recording lends its sound alone, whatever its language."""
    return f"{_SYSTEM} {instruction}{END}" if instruction else f"{_SYSTEM}{END}"
