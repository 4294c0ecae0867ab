"""Abbreviations in full."""

from __future__ import annotations

import re

from core.text.arabic.names import is_womans

_B = r"(?<![\w.\u064b-\u0652])(?<!\d )([وفبل]?)"
_TITLE = re.compile(rf"{_B}(أ\.?\s?د|د|أ|م)\.\s*(?=([^\W\d]{{2,}}))")
_TITLES = {"د": "الدكتور", "أ": "الأستاذ", "م": "المهندس"}
_AND = re.compile(r"(?<![\w\u064b-\u0652])و\s+(?=[^\W\d])")
_ABBREVIATIONS = [
    (re.compile(rf"{_B}ش\.\s*(?=[^\W\d]{{2}})"), r"\1شارع "),
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
    text = _AND.sub("و", text)
    if not _MAY_HOLD.search(text):
        return text
    text = _TITLE.sub(_titled, text)
    for pattern, full in _ABBREVIATIONS:
        text = pattern.sub(full, text)
    return _WITH_ARTICLE.sub(r"\1لل", text)


def _titled(found: re.Match[str]) -> str:
    """`د. ` is الدكتور, before a woman's name الدكتورة; أ.د. is both titles."""
    ending = "ة" if is_womans(found[3]) else ""
    titles = [f"{_TITLES[letter]}{ending}" for letter in found[2] if letter in _TITLES]
    return f"{found[1]}{' '.join(titles)} "
