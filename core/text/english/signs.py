"""Signs in English words."""

from __future__ import annotations

import re

from core.text.signs import Signs

_BETWEEN = (
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
)
_LONE = (
    (re.compile(r"\s*%"), " percent"),
    (re.compile(r"\$"), " dollars "),
    (re.compile("€"), " euros "),
    (re.compile("£"), " pounds "),
    (re.compile("°"), " degrees "),
    (re.compile("²"), " squared "),
    (re.compile("³"), " cubed "),
)

SIGNS = Signs(_BETWEEN, _LONE)
