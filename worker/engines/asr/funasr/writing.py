"""What the model wrote as plain text, and the texts of several segments as one."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_THOUGHT = re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL)
_TOKEN = re.compile(r"<\|[^|<>]*\|>|</?s>|/sil\b|</think>")
_BLANKS = re.compile(r"\s+")
_BEFORE_MARK = re.compile(r"\s+(?=[،؛؟。，？！、]|[.,!?;:](?:\s|$))")
_UNSPACED = re.compile("[\u3000-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uff00-\uff60]")
"""Chinese and Japanese letters and marks: no blank stands between them."""


def cleaned(text: str) -> str:
    """Without special tokens, signs that nobody sees and stray blanks."""
    text = _TOKEN.sub(" ", _THOUGHT.sub(" ", text))
    text = "".join(sign for sign in text if sign.isspace() or not _unseen(sign))
    return _BEFORE_MARK.sub("", _BLANKS.sub(" ", text)).strip()


def _unseen(sign: str) -> bool:
    """Control signs, direction marks, the sign for broken bytes. A joiner between letters is part of its word."""
    return sign == "\ufffd" or (
        unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Co", "Cn") and sign not in "\u200c\u200d"
    )


def joined(texts: Iterable[str]) -> str:
    """The segments' texts as one: a blank between them, except where Chinese or Japanese meets its like."""
    whole = ""
    for text in filter(None, texts):
        both = whole and _UNSPACED.match(whole[-1]) and _UNSPACED.match(text[0])
        whole += text if not whole or both else f" {text}"
    return whole
