"""Abbreviations in full."""

from __future__ import annotations

import re

_ABBREVIATIONS = [
    (re.compile(r"\bDr\.?(?=\s+[A-Z])"), "Doctor"),
    (re.compile(r"\bMr\.?(?=\s+[A-Z])"), "Mister"),
    (re.compile(r"\bMrs\.?(?=\s+[A-Z])"), "Missus"),
    (re.compile(r"\bMs\.?(?=\s+[A-Z])"), "Miz"),
    (re.compile(r"\bProf\.?(?=\s+[A-Z])"), "Professor"),
    (re.compile(r"\bApt\.?(?=\s+\d)"), "Apartment"),
    (re.compile(r"\bRm\.?(?=\s+\d)"), "Room"),
    (re.compile(r"(?<=[a-z] )St\.?(?![\w])(?!\s+[A-Z])"), "Street"),
    (re.compile(r"\bSt\.?(?=\s+[A-Z])"), "Saint"),
    (re.compile(r"(?<=[a-z] )Ave\.?(?!\w)"), "Avenue"),
    (re.compile(r"(?<=[a-z] )Rd\.?(?!\w)"), "Road"),
    (re.compile(r"\bapprox\.?(?!\w)", re.I), "approximately"),
    (re.compile(r"\be\.g\.,?", re.I), "for example"),
    (re.compile(r"\bi\.e\.,?", re.I), "that is"),
    (re.compile(r"\betc\.?(?=\s+[a-z])", re.I), "et cetera"),
    (re.compile(r"\betc\.?(?!\w)", re.I), "et cetera."),
    (re.compile(r"\bvs\.?(?!\w)", re.I), "versus"),
    (re.compile(r"\bmax\.(?=\s)", re.I), "maximum"),
    (re.compile(r"\bmin\.(?=\s+\d)", re.I), "minimum"),
    (re.compile(r"\bincl\.(?=\s)", re.I), "including"),
    (re.compile(r"\bext\.(?=\s*\d)", re.I), "extension"),
    (re.compile(r"\btel\.?\s?:?(?=\s*[\d+(])", re.I), "telephone "),
    (re.compile(r"(?<![\w])(?:Nos?\.\s?|№\s?|#)(?=\d)", re.I), "number "),
    (re.compile(r"\bp\.\s?(?=\d)"), "page "),
    (re.compile(r"\bw/o(?=\s)"), "without"),
    (re.compile(r"\bw/\s?(?=[a-z])"), "with "),
    (re.compile(r"\band/or\b"), "and or"),
    (re.compile(r"\bVIP(s?)\b"), r"V I P\1"),
]
_MAY_HOLD = re.compile(
    r"\b(?:Dr|Mrs?|Ms|Prof|Apt|Rm|St|Ave|Rd|VIPs?)\b|(?i:approx|etc|vs|e\.g|i\.e|incl|max\.|min\.|ext\.|tel)|[№#]|(?i:nos?\.)|p\.|w/|/or"
)


def in_full(text: str) -> str:
    """The text with what is abbreviated in it written out."""
    if not _MAY_HOLD.search(text):
        return text
    for pattern, full in _ABBREVIATIONS:
        text = pattern.sub(full, text)
    return text
