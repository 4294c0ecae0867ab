"""Folding: one spelling for everything that people write for the same word.

Arabic is written with or without vowel marks, with or without hamza on its seat, and final ya and ta marbuta are
often typed as alef maqsura and ha; the folds are those of Larkey, Ballesteros and Connell, "Light stemming for Arabic
information retrieval" (2007), section 2.
"""

from __future__ import annotations

import re
import unicodedata

_LETTERS = str.maketrans(
    {
        "ى": "ي",
        "ی": "ي",  # Farsi ya
        "ک": "ك",  # Farsi kaf
        "ة": "ه",
        "ٱ": "ا",
        "ء": None,
        "ـ": None,  # tatweel
        "'": None,
        "’": None,
        "ʼ": None,
    }
)
_TASHKEEL = "\u064b-\u0652\u0670"
_MARKS = re.compile(f"[{_TASHKEEL}\u0640]")
_VOWEL = re.compile(f"[{_TASHKEEL}]")
_ARABIC_LETTER = re.compile("[ء-غف-ي]")
_NO_WORD = re.compile(r"[\W_]+")
_DRAWN_OUT = re.compile(r"([^\W\d])\1{2,}")


def fold(text: str) -> str:
    """The text for matching: lower case, no marks, one letter for its variants, ASCII digits, single blanks."""
    plain = "".join(_folded(char) for char in unicodedata.normalize("NFKD", text).translate(_LETTERS))
    return _DRAWN_OUT.sub(r"\1", _NO_WORD.sub(" ", plain.casefold()).strip())


def _folded(char: str) -> str:
    category = unicodedata.category(char)
    if category == "Nd":
        return str(unicodedata.digit(char))
    return "" if category in ("Mn", "Cf") else char


def without_marks(text: str) -> str:
    """The text without tashkeel and tatweel, as captions show it."""
    return _MARKS.sub("", text)


def is_diacritised(text: str) -> bool:
    """Whether a writer has set the vowels: a third of the Arabic letters carry a mark (full tashkeel marks about
    four fifths of them; a stray shadda or tanwin stays far below a third)."""
    letters = len(_ARABIC_LETTER.findall(text))
    return letters > 0 and len(_VOWEL.findall(text)) * 3 >= letters
