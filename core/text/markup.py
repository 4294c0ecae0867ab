"""Text without what only the eye can use: markdown, links' targets, emoji, controls, ornamental punctuation."""

from __future__ import annotations

import re
import unicodedata

_LINK = re.compile(r"!?\[([^\]]*)\]\([^)\s]*\)")
_FENCE = re.compile(r"```\w*")
_LINE_START = re.compile(r"^[ \t]*(?:(?:#{1,6}|>+|[-*+•])[ \t]+)+", re.MULTILINE)
_TIMES = re.compile(r"(?<=\d)[ \t]*\*[ \t]*(?=\d)")
_MARKUP = re.compile(r"[*`|]+|~{2,}|(?<!\w)_+|_+(?!\w)")
_ABOUT = re.compile(r"~(?!\d)")
_VARIATION = re.compile("[\ufe00-\ufe0f\u20e3\u200d]")
_TATWEEL = re.compile("ـ+(?![ \u00a0]?[0-9٠-٩۰-۹])")
_UNSPOKEN = {"Cf", "Co", "Cs", "Cn", "Cc", "So", "Sk"}
_KEPT = frozenset("\n\t°№")
_PUNCTUATION = str.maketrans(
    {"“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "—": ",", "…": ".", "’": "'", "‘": "'", "＃": "#", "：": ":"}
)
_SYMBOLS = str.maketrans(
    {
        "\u20c1": " ر.س ",
        "﷼": " ر.س ",
        "ﷺ": "صلى الله عليه وسلم",
        "ﷲ": "الله",
        "℃": "°C",
        "®": None,
        "©": None,
        "™": None,
    }
)


class _Spoken(dict[int, int]):
    """For str.translate: a blank for each character that no voice says; filled as they come, so never large."""

    def __missing__(self, code: int) -> int:
        char = chr(code)
        self[code] = code if char in _KEPT or unicodedata.category(char) not in _UNSPOKEN else ord(" ")
        return self[code]


_SPOKEN = _Spoken()


def plain(text: str) -> str:
    """The words and signs of a text. Tatweel is kept before figures alone, where it shows a prefix (بـ95)."""
    text = unicodedata.normalize("NFC", text.translate(_SYMBOLS))
    text = _VARIATION.sub("", text.translate(_PUNCTUATION))
    if not text.isascii():
        text = _TATWEEL.sub("", text.translate(_SPOKEN))
    text = _FENCE.sub(" ", _LINK.sub(r"\1", text))
    text = _TIMES.sub("×", _LINE_START.sub("", text))
    return _ABOUT.sub(" ", _MARKUP.sub(" ", text))
