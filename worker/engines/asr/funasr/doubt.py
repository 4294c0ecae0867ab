"""Whether a text can be what was said: the known ways in which a recogniser around a language model invents.

The makers' report (arXiv 2509.12508) names repetition and hallucination in noise; users report fillers on silence,
loops, and hotwords or the prompt given back.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from core.text import fold
from worker.engines.asr.funasr.languages import EAST_ASIAN, is_east_asian

_PROMPT = ("语音转写", "热词列表", "上下文信息", "不进行文本规整", "我们会留空", "you are a helpful assistant")
"""What funasr writes around the sound."""
_FILLERS = frozenset(
    map(fold, ("嗯", "啊", "呃", "哦", "唔", "额", "uh", "um", "hm", "hmm", "mm", "mhm", "اه", "ام", "امم", "م"))
)
_LETTERS_A_SECOND = 40
_LETTERS_AT_ONCE = 20
"""No one says more in any script; the fastest readers of English reach 25."""
_LONGEST_UNIT = 24
_WORDS_REPEATED = 6
"""`no no no no` is said; six times in a row it is a loop. So are four times of three words and more."""
_PHRASES_REPEATED = 4
_LETTERS_REPEATED = 16
"""In one word without a blank: sixteen times one letter, eight times two … four times four and more."""
_WORD = re.compile(r"\w+")


def is_doubtful(text: str, seconds: float, language: str | None) -> bool:
    """text: cleaned. seconds: of speech in the segment. language: the one that was asked for (worker's NAMES)."""
    return (
        not any(sign.isalnum() for sign in text)
        or len(text) > _LETTERS_AT_ONCE + _LETTERS_A_SECOND * seconds
        or any(part in text.lower() for part in _PROMPT)
        or _is_filler(text)
        or (language is not None and language not in EAST_ASIAN and is_east_asian(text))
        or is_loop(text)
    )


def is_loop(text: str) -> bool:
    """Whether a few words, or in writing without blanks a few letters, come over and over in a row."""
    words = _WORD.findall(text.lower())
    if any(_runs(words, size, _WORDS_REPEATED if size < 3 else _PHRASES_REPEATED) for size in range(1, _LONGEST_UNIT)):
        return True
    return any(
        _runs(word, size, max(_PHRASES_REPEATED, -(-_LETTERS_REPEATED // size)))
        for word in words
        if len(word) >= _LETTERS_REPEATED
        for size in range(1, _LONGEST_UNIT)
    )


def is_only(text: str, names: Sequence[str]) -> bool:
    """Whether a text holds nothing but the names that the model was told to listen for."""
    known = "|".join(re.escape(name) for name in sorted(map(fold, names), key=len, reverse=True) if name)
    return not re.sub(rf"(?<!\S)(?:{known})(?!\S)", "", fold(text)).strip()


def _is_filler(text: str) -> bool:
    words = fold(text).split()
    return bool(words) and all(word in _FILLERS for word in words)


def _runs(units: Sequence[str], size: int, times: int) -> bool:
    """Whether `size` units come `times` times in a row."""
    same = 0
    for place in range(size, len(units)):
        same = same + 1 if units[place] == units[place - size] else 0
        if same >= size * (times - 1):
            return True
    return False
