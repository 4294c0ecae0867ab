"""Signs in Arabic words."""

from __future__ import annotations

import re

from core.text.signs import Signs

_BETWEEN = (
    (re.compile(r"\s*&\s*"), " و"),
    (re.compile(r"(?<=\d)\s*\+\s*(?=\d)"), " زائد "),
    (re.compile(r"(?<=\d)\+(?!\w)"), " فأكثر"),
    (re.compile(r"\+(?=\s?\d)"), " زائد "),
    (re.compile(r"\s*=\s*"), " يساوي "),
    (re.compile(r"(?<=\d)\s*[×xX]\s*(?=\d)"), " في "),
    (re.compile(r"\s*×\s*"), " في "),
    (re.compile(r"(?<=\d)\s*÷\s*(?=\d)"), " على "),
    (re.compile(r"\s*(?:→|⇒|➔|->|=>)\s*"), " إلى "),
    (re.compile(r"[~≈]\s*(?=\d)"), "حوالي "),
    (re.compile(r"±\s*"), " زائد أو ناقص "),
    (re.compile(r"≥\s*"), " أكبر من أو يساوي "),
    (re.compile(r"≤\s*"), " أصغر من أو يساوي "),
    (re.compile(r">\s*(?=\d)"), " أكثر من "),
    (re.compile(r"<\s*(?=\d)"), " أقل من "),
    (re.compile(r"[№#]\s*(?=\d)"), "رقم "),
    (re.compile(r"(?<=[^\W\d])\s*/\s*(?=[^\W\d])"), " أو "),
    (re.compile(r"\s*@\s*"), " آت "),
    (re.compile(r"(?<=\s)\+(?=\s)"), "زائد"),
)
_LONE = (
    (re.compile(r"\s*%"), " بالمئة"),
    (re.compile(r"\$"), " دولار "),
    (re.compile("€"), " يورو "),
    (re.compile("£"), " جنيه "),
    (re.compile("°"), " درجة "),
    (re.compile("²"), " مربع "),
    (re.compile("³"), " مكعب "),
)

SIGNS = Signs(_BETWEEN, _LONE)
