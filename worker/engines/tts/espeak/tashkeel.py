"""Vowel marks for Arabic, as a voice needs them. Imported by the helper process alone."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path

from core.text import is_diacritised, without_marks

_THREADS = "1"
_MODEL = "rawi-ensemble"
"""The bundled int8 model with the lowest error (2.0 % by its authors); 5 ms a sentence on one core."""

_WORDS: dict[str, str] = tomllib.loads(Path(__file__).with_name("words.toml").read_text(encoding="utf-8"))
_WORD = re.compile("[\u0621-\u0652\u0670]+")
_PAUSE = r"(?=\s*(?:[،؛.!؟?,:\"]|$))"
_SHORT_VOWEL = re.compile(f"(?<![\\s\u0648\u064a\u0627\u0649])[\u064c-\u0650]{_PAUSE}")
_TA_MARBUTA = re.compile(f"(?<=[\u064e\u0651])\u0629[\u064b-\u0652]*{_PAUSE}")
_TANWIN_FATH = re.compile(f"(?:\u064b[اى]?|[اى]\u064b){_PAUSE}")


class Tashkeel:
    """text2tashkeel's model (onnxruntime), kept to one thread: a sentence is too small to share out."""

    def __init__(self) -> None:
        os.environ.setdefault("TT_ORT_THREADS", _THREADS)
        from text2tashkeel import Diacritizer

        self._model = Diacritizer(_MODEL)
        self._model("مرحبا")

    def __call__(self, text: str) -> str:
        """The text with its vowels, those before a pause as they are spoken; a diacritised text keeps its own."""
        if not is_diacritised(text):
            text = _WORD.sub(_known, self._model(text))
        return pausal(text)


def _known(word: re.Match[str]) -> str:
    return _WORDS.get(without_marks(word[0]), word[0])


def pausal(text: str) -> str:
    """Before a pause Arabic drops final short vowels, says ta marbuta as -a and tanwin fath as a long a (waqf;
    Ryding, "A Reference Grammar of Modern Standard Arabic", 2.9)."""
    text = _SHORT_VOWEL.sub("", text)
    text = _TA_MARBUTA.sub("", text)
    return _TANWIN_FATH.sub("\u064e\u0627", text)
