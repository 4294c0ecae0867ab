"""The spoken sentences of a turn: saved one by one, read as often as needed, waited for while more are coming."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from core.storage import storage_errors
from worker.engines.tts.base import Phoneme, Speech
from worker.guard import closed


def save(path: Path, speech: Speech) -> None:
    """One sentence as .npz: samples, rate, phonemes, text and language. Raises StorageError."""
    phonemes = speech.phonemes or ()
    draft = path.with_suffix(".part")
    with storage_errors():
        path.parent.mkdir(parents=True, exist_ok=True)
        with draft.open("wb") as file:
            np.savez(
                file,
                samples=speech.samples,
                rate=speech.sample_rate,
                known=speech.phonemes is not None,
                ipa=np.array([each.ipa for each in phonemes], dtype=np.str_),
                times=np.array([(each.start, each.end) for each in phonemes], dtype=np.float64).reshape(-1, 2),
                said=np.array([each for each in (speech.text, speech.language) if each is not None], dtype=np.str_),
                told=[speech.text is not None, speech.language is not None],
            )
        draft.replace(path)


def load(path: Path) -> Speech:
    with np.load(path, allow_pickle=False) as saved:
        phonemes = tuple(
            Phoneme(str(ipa), float(start), float(end))
            for ipa, (start, end) in zip(saved["ipa"], saved["times"], strict=True)
        )
        said = iter(saved["said"])
        text, language = (str(next(said)) if told else None for told in saved["told"])
        known = phonemes if bool(saved["known"]) else None
        return Speech(saved["samples"], int(saved["rate"]), known, text, language)


class Parts:
    """Paths of saved sentences. One thread appends, others read from the start; memory holds the paths alone."""

    def __init__(self) -> None:
        self._paths: list[Path] = []
        self._seconds = 0.0
        self._characters = 0
        self._ended = False
        self._error: BaseException | None = None
        self._changed = threading.Condition()

    def append(self, path: Path, seconds: float) -> None:
        with self._changed:
            self._paths.append(path)
            self._seconds += seconds
            self._changed.notify_all()

    def end(self, error: BaseException | None = None) -> None:
        """No more will come; `error` is raised in whoever still waits."""
        with self._changed:
            self._ended, self._error = True, error
            self._changed.notify_all()

    def promised(self, sentences: Iterator[str]) -> Iterator[str]:
        """The sentences, counted as they pass: they are to be spoken."""
        with closed(sentences):
            for sentence in sentences:
                self._characters += len(sentence)
                yield sentence

    @property
    def characters(self) -> int:
        """Of the sentences that are known, spoken or not."""
        return self._characters

    @property
    def seconds(self) -> float:
        """Spoken so far."""
        with self._changed:
            return self._seconds

    @property
    def total_seconds(self) -> float | None:
        """None while more may come."""
        with self._changed:
            return self._seconds if self._ended and self._error is None else None

    def read(self, check: Callable[[], None]) -> Iterator[Speech]:
        """Every sentence in order, waiting for those to come; `check` is called while waiting and may raise."""
        index = 0
        while (path := self._wait_for(index, check)) is not None:
            yield load(path)
            index += 1

    def wait_for_end(self, check: Callable[[], None]) -> None:
        """Returns when no more will come; raises what ended them early, and what `check` raises meanwhile."""
        with self._changed:
            while not self._ended:
                check()
                self._changed.wait(0.1)
            if self._error is not None:
                raise self._error

    def _wait_for(self, index: int, check: Callable[[], None]) -> Path | None:
        with self._changed:
            while True:
                check()
                if index < len(self._paths):
                    return self._paths[index]
                if self._error is not None:
                    raise self._error
                if self._ended:
                    return None
                self._changed.wait(0.1)
