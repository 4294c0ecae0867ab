"""The search for anything in English: poor as a transcript, good as a measure of what else was said."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from worker.engines.asr.pocketsphinx.decoding import SETTINGS, Spoken, path_of

_WORDS = 5000
"""The most frequent ones of the language model that comes with PocketSphinx. With all 126,000 it takes four times as
long, and tells questions from the rest no better."""
_BEAMS = {"beam": 1e-40, "pbeam": 1e-40, "wbeam": 1e-20, "maxwpf": 20}


class EnglishSearch:
    """Not safe for threads."""

    def __init__(self) -> None:
        from pocketsphinx import Decoder, NGramModel, get_model_path

        folder = Path(get_model_path("en-us"))
        model = str(folder / "en-us.lm.bin")
        lines = (folder / "cmudict-en-us.dict").read_text(encoding="utf-8").splitlines()
        with TemporaryDirectory() as scratch:
            frequent = Path(scratch) / "frequent.dict"
            frequent.write_text("\n".join(_frequent(lines, NGramModel.readfile(model))) + "\n", encoding="utf-8")
            self._decoder: Any = Decoder(lm=model, dict=str(frequent), **SETTINGS, **_BEAMS)

    def path(self, raw: bytes) -> list[Spoken]:
        """The likeliest words in 16-bit samples at 16 kHz."""
        return path_of(self._decoder, raw)


def _frequent(lines: list[str], model: Any) -> Iterator[str]:
    """The dictionary's lines (`word`, `word(2)` … and phones) of the most frequent words."""
    words = [line.partition(" ")[0].partition("(")[0] for line in lines]
    likely = {word: model.prob([word]) for word in set(words)}
    kept = set(sorted(likely, key=lambda word: (-likely[word], word))[:_WORDS])
    return (line for word, line in zip(words, lines, strict=True) if word in kept)
