"""Spoken sentences on the disk, and threads that wait for them."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np
import pytest

from core.errors import Cancelled, StorageError, TTSError
from worker.engines.tts.base import Phoneme, Speech
from worker.parts import Parts, load, save
from worker.voicing.sentence import joined

TONE = np.linspace(-1, 1, 1600, dtype=np.float32)


def never() -> None:
    """Nobody asks to stop."""


def speech(first: float = 0.0) -> Speech:
    return Speech(TONE + np.float32(first), 16_000, None)


@pytest.mark.parametrize(
    "phonemes", [None, (), (Phoneme("m", 0.0, 0.05), Phoneme("ˈaː", 0.05, 0.1))], ids=["unknown", "none", "some"]
)
def test_a_sentence_comes_back_as_it_was(tmp_path: Path, phonemes: tuple[Phoneme, ...] | None) -> None:
    save(tmp_path / "deep" / "a.npz", Speech(TONE, 22_050, phonemes))
    found = load(tmp_path / "deep" / "a.npz")
    assert np.array_equal(found.samples, TONE)
    assert found.samples.dtype == np.float32
    assert (found.sample_rate, found.phonemes) == (22_050, phonemes)
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["a.npz"]


def test_where_nothing_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError):
        save(tmp_path / "file" / "a.npz", speech())


def test_reading_waits_for_what_is_still_to_come(tmp_path: Path) -> None:
    parts = Parts()

    def write() -> None:
        for number in range(5):
            time.sleep(0.01)
            save(tmp_path / f"{number}.npz", speech(number))
            parts.append(tmp_path / f"{number}.npz", 0.1)
        parts.end()

    writer = threading.Thread(target=write)
    writer.start()
    assert [float(each.samples[0]) for each in parts.read(never)] == [-1, 0, 1, 2, 3]
    writer.join()
    assert [float(each.samples[0]) for each in parts.read(never)] == [-1, 0, 1, 2, 3]
    assert parts.total_seconds == pytest.approx(0.5)


def test_the_length_is_known_at_the_end(tmp_path: Path) -> None:
    parts = Parts()
    parts.append(tmp_path / "a.npz", 1.5)
    assert parts.total_seconds is None
    parts.end()
    assert parts.total_seconds == 1.5


def test_what_ended_the_speech_reaches_who_waits(tmp_path: Path) -> None:
    parts = Parts()
    save(tmp_path / "a.npz", speech())
    parts.append(tmp_path / "a.npz", 0.1)
    parts.end(TTSError("no voice"))
    reading = parts.read(never)
    next(reading)
    with pytest.raises(TTSError, match="no voice"):
        next(reading)
    assert parts.total_seconds is None


@pytest.mark.alone
def test_who_waits_can_be_cancelled() -> None:
    asked = time.monotonic() + 0.2

    def check() -> None:
        if time.monotonic() > asked:
            raise Cancelled

    with pytest.raises(Cancelled):
        next(Parts().read(check))
    assert time.monotonic() - asked < 0.5


def test_pieces_are_joined_with_their_phonemes_times_moved() -> None:
    first = Speech(TONE, 16_000, (Phoneme("a", 0.0, 0.1),))
    second = Speech(TONE, 16_000, (Phoneme("b", 0.02, 0.1),))
    whole = joined([first, second])
    assert len(whole.samples) == 2 * len(TONE)
    assert whole.phonemes is not None
    assert [(each.ipa, round(each.start, 3), round(each.end, 3)) for each in whole.phonemes] == [
        ("a", 0.0, 0.1),
        ("b", 0.12, 0.2),
    ]
    assert joined([first, speech()]).phonemes is None


@pytest.mark.parametrize("pieces", [[], [Speech(np.zeros(0, np.float32), 16_000, None)]], ids=["none", "empty"])
def test_no_sound_is_an_error(pieces: list[Speech]) -> None:
    with pytest.raises(TTSError):
        joined(pieces)
