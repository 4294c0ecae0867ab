"""What two small models make of Arabic without vowel marks, letter by letter. Imported in the host alone."""

from __future__ import annotations

import os
import unicodedata
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from worker.engines.tts.espeak.script import MARKS, SHADDA, Letter

_THREADS = "1"
_MODELS = ("rawi-v2-int8", "rawi-v3-int8")
"""The two that text2tashkeel stitches into its best model; averaged, they also tell how sure they are. 6 ms a sentence
on one core."""

WRITTEN = 2.0
"""How sure a vowel is that the writer has set."""

Probabilities = NDArray[np.float64]


@dataclass(frozen=True)
class Guess:
    """A character as it stands, its letter with the likeliest marks, and how likely they are: 0 to 1, or WRITTEN."""

    letter: Letter
    sure: float


class Vowels:
    """text2tashkeel's models (onnxruntime), kept to one thread: a sentence is too small to share out."""

    def __init__(self) -> None:
        os.environ.setdefault("TT_ORT_THREADS", _THREADS)
        from text2tashkeel import Diacritizer

        self._gate, self._value = (Diacritizer(name).backend for name in _MODELS)
        self._classes = [self._gate.i2d[index] for index in range(len(self._gate.i2d))]
        self("مرحبا")

    def __call__(self, text: str) -> list[Guess]:
        """One guess a character of the text in NFC without its marks; a mark that is written stays."""
        written = _characters(text)
        if not written:
            return []
        probable = self._probable("".join(base for base, _ in written))
        return [self._guess(base, marks, row) for (base, marks), row in zip(written, probable, strict=True)]

    def _probable(self, bases: str) -> Probabilities:
        """(characters, classes): the mean of both models' probabilities."""
        ids = np.array([[self._gate.c2i.get(base, self._gate.unk) for base in bases]], np.int64)
        first: Probabilities = _softmax(self._gate.sess.run(["output"], {"input": ids})[0][0])
        presence, value = self._value.sess.run(["presence", "value"], {"input": ids})
        marked = 1 / (1 + np.exp(-presence[0].reshape(-1, 1)))
        second = _softmax(value[0]) * marked
        second[:, 0] = 1 - marked[:, 0]
        mean: Probabilities = (first + second) / 2
        return mean

    def _guess(self, base: str, marks: str, row: Probabilities) -> Guess:
        """The likeliest class that holds the marks written here and no hamza that is not."""
        composed, vowels = unicodedata.normalize("NFC", base + _hamza(marks)), set(marks) - set(_hamza(marks))
        if not "\u0621" <= base <= "\u064a":
            return Guess(Letter(composed), 1.0)
        fitting = [
            (row[index], kept)
            for index, found in enumerate(self._classes)
            if _hamza(found) == _hamza(marks)
            and vowels <= set(kept := "".join(mark for mark in found if mark in MARKS))
        ]
        if not fitting:
            return Guess(_letter(composed, "".join(vowels)), 1.0)
        sure, kept = max(fitting)
        if vowels - {SHADDA}:
            return Guess(_letter(composed, kept), WRITTEN)
        return Guess(_letter(composed, kept), float(sure / max(sum(one for one, _ in fitting), 1e-9)))


def _characters(text: str) -> list[tuple[str, str]]:
    """Each base character in NFD with what stands on it."""
    found: list[tuple[str, str]] = []
    for char in unicodedata.normalize("NFD", text):
        if unicodedata.category(char) != "Mn":
            found.append((char, ""))
        elif found:
            found[-1] = (found[-1][0], found[-1][1] + char)
    return found


def _letter(base: str, marks: str) -> Letter:
    vowel = marks.replace(SHADDA, "")
    return Letter(base, vowel[-1:], SHADDA in marks)


def _hamza(marks: str) -> str:
    """Madda, hamza above or below."""
    return "".join(mark for mark in marks if "\u0653" <= mark <= "\u0655")


def _softmax(scores: Probabilities) -> Probabilities:
    powers = np.exp(scores - scores.max(-1, keepdims=True))
    return np.asarray(powers / powers.sum(-1, keepdims=True), np.float64)
