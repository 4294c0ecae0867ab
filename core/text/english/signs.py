"""Signs between words, in words."""

from __future__ import annotations

import re

_SIGNS = [
    (re.compile(r"\s*&\s*"), " and "),
    (re.compile(r"(?<=\d)\s*\+\s*(?=\d)"), " plus "),
    (re.compile(r"(?<=\d)\+(?!\w)"), " plus"),
    (re.compile(r"\+(?=\s?\d)"), " plus "),
    (re.compile(r"(?<=\s)\+(?=\s)"), "plus"),
    (re.compile(r"(?<=\d)x(?= [a-z])"), " times"),
    (re.compile(r"(?<=\d)\s*[xX]\s*(?=\d)"), " by "),
    (re.compile(r"\s*×\s*"), " times "),
    (re.compile(r"(?<=\d)\s*÷\s*(?=\d)"), " divided by "),
    (re.compile(r"\s*(?:→|⇒|➔|->|=>)\s*"), " to "),
    (re.compile(r"\s*=\s*"), " equals "),
    (re.compile(r"[~≈]\s*(?=\d)"), "about "),
    (re.compile(r"±\s*"), " plus or minus "),
    (re.compile(r"≥\s*"), " at least "),
    (re.compile(r"≤\s*"), " at most "),
    (re.compile(r">\s*(?=\d)"), " more than "),
    (re.compile(r"<\s*(?=\d)"), " less than "),
    (re.compile(r"(?<=[^\W\d])\s*/\s*(?=[^\W\d])"), " or "),
    (re.compile(r"\s*@\s*"), " at "),
]
_NAMES = [
    (re.compile(r"\s*%"), " percent"),
    (re.compile(r"\$"), " dollars "),
    (re.compile("€"), " euros "),
    (re.compile("£"), " pounds "),
    (re.compile("°"), " degrees "),
    (re.compile("²"), " squared "),
    (re.compile("³"), " cubed "),
]
_MAY_HOLD = re.compile(r"[&+=×÷→⇒➔>~≈±≥≤</@%$€£°²³xX]")


def say_signs(text: str) -> str:
    """The text with the signs that join figures and words said."""
    return _replaced(text, _SIGNS)


def say_lone_signs(text: str) -> str:
    """The text with the signs that are left over said by their names."""
    return _replaced(text, _NAMES)


def _replaced(text: str, signs: list[tuple[re.Pattern[str], str]]) -> str:
    if not _MAY_HOLD.search(text):
        return text
    for pattern, word in signs:
        text = pattern.sub(word, text)
    return text
