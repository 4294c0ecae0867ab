"""What every engine of the layer asr does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soxr
from numpy.typing import NDArray

from core.catalogue import Voice
from core.errors import NotUnderstood
from worker.engines import registry
from worker.engines.asr.base import SAMPLE_RATE, ASREngine
from worker.engines.asr.fake import Fake
from worker.engines.asr.funasr import FunASR
from worker.engines.asr.pocketsphinx import PocketSphinx
from worker.engines.base import Place
from worker.engines.tts.espeak import Espeak

HINTS = ["how much is a ticket", "where is the bus station", "can i bring my bicycle"]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights that know no words: the model says the same to any speech."""
    from bench.models.asr import build

    folder = tmp_path_factory.mktemp("models")
    build(folder / "fun-asr-mlt-nano", recites=["something ", "was said"])
    return folder


def fake(request: pytest.FixtureRequest) -> ASREngine:
    return Fake()


def pocketsphinx(request: pytest.FixtureRequest) -> ASREngine:
    return PocketSphinx()


def funasr(request: pytest.FixtureRequest) -> ASREngine:
    return FunASR.at(Place(models=request.getfixturevalue("models")))


KNOW_WORDS = (fake, pocketsphinx)
ALL = (*KNOW_WORDS, pytest.param(funasr, marks=pytest.mark.models))


def loaded(request: pytest.FixtureRequest) -> Iterator[ASREngine]:
    made: ASREngine = request.param(request)
    made.load()
    yield made
    made.unload()


engine = pytest.fixture(loaded, params=ALL, name="engine")
knowing = pytest.fixture(loaded, params=KNOW_WORDS, name="knowing")
"""Engines that are as they are in use; what the others understand depends on weights that no test has."""


@pytest.fixture(scope="module")
def speech() -> NDArray[np.float32]:
    espeak = Espeak()
    (spoken,) = espeak.speak(HINTS[0], language="en", voice=Voice("plain", {}, Path(), {}))
    espeak.unload()
    return np.asarray(soxr.resample(spoken.samples, spoken.sample_rate, SAMPLE_RATE), np.float32)


@pytest.mark.parametrize("language", ["en", None])
def test_it_understands(knowing: ASREngine, speech: NDArray[np.float32], language: str | None) -> None:
    assert knowing.transcribe(speech, language=language, hints=HINTS).text == HINTS[0]


@pytest.mark.parametrize("language", ["en", None])
def test_it_says_which_language_and_how_sure_it_is(
    engine: ASREngine, speech: NDArray[np.float32], language: str | None
) -> None:
    transcript = engine.transcribe(speech, language=language, hints=HINTS)
    assert transcript.text == transcript.text.strip() != ""
    assert transcript.language == "en"
    assert 0.0 <= transcript.confidence <= 1.0


def test_one_that_takes_dictation_needs_no_hints(engine: ASREngine, speech: NDArray[np.float32]) -> None:
    assert registry.dictates(engine.name) == engine.dictates
    if engine.dictates:
        assert engine.transcribe(speech, language="en").text
    else:
        with pytest.raises(NotUnderstood):
            engine.transcribe(speech, language="en")


def test_the_same_sound_gives_the_same_transcript(engine: ASREngine, speech: NDArray[np.float32]) -> None:
    first, second = (engine.transcribe(speech, language="en", hints=HINTS) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("samples", [0, 1, 100, SAMPLE_RATE])
def test_silence_is_not_understood(engine: ASREngine, samples: int) -> None:
    with pytest.raises(NotUnderstood):
        engine.transcribe(np.zeros(samples, np.float32), language=None, hints=HINTS)


def test_the_sound_is_left_as_it_was(engine: ASREngine, speech: NDArray[np.float32]) -> None:
    before = speech.copy()
    engine.transcribe(speech, language="en", hints=HINTS)
    np.testing.assert_array_equal(speech, before)


def test_load_and_unload_are_idempotent(engine: ASREngine, speech: NDArray[np.float32]) -> None:
    engine.load()
    engine.unload()
    engine.unload()
    engine.load()
    assert engine.transcribe(speech, language="en", hints=HINTS).text
