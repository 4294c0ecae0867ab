"""Abbreviations in full."""

from __future__ import annotations

import re

_B = r"(?<![\w.\u064b-\u0652])([وفبل]?)"
_NAME = r"[.]\s*(?=[^\W\d]{2})"
_ABBREVIATIONS = [
    (re.compile(rf"{_B}أ\.?\s?د{_NAME}"), r"\1الأستاذ الدكتور "),
    (re.compile(rf"{_B}د{_NAME}"), r"\1الدكتور "),
    (re.compile(rf"{_B}أ{_NAME}"), r"\1الأستاذ "),
    (re.compile(rf"{_B}م{_NAME}"), r"\1المهندس "),
    (re.compile(rf"{_B}ص\.\s?ب\.?(?!\w)\s*:?"), r"\1صندوق بريد "),
    (re.compile(rf"{_B}إلخ(?![\w])"), r"\1إلى آخره"),
    (re.compile(r"(?<![\w.])ت\s?:\s?(?=[\d+(])"), "هاتف: "),
    (re.compile(r"(?<![\w.])ص\.\s?(?=\d)"), "صفحة "),
    (re.compile(r"(?<![\w.])(?:No\.?|№|#)\s?(?=\d)"), "رقم "),
    (re.compile(r"(?<=\d)\s?هـ?(?!\w)"), " للهجرة"),
    (re.compile(r"(?<=(?:19|20)\d\d)\s?م(?!\w)"), " للميلاد"),
]
_MAY_HOLD = re.compile(r"[.:#№]|إلخ|ه|No|م(?!\w)")
_WITH_ARTICLE = re.compile(r"(?<![\w])([وف]?)لال(?=دكتور|أستاذ|مهندس)")


def in_full(text: str) -> str:
    """The text with what is abbreviated in it written out."""
    if not _MAY_HOLD.search(text):
        return text
    for pattern, full in _ABBREVIATIONS:
        text = pattern.sub(full, text)
    return _WITH_ARTICLE.sub(r"\1لل", text)
