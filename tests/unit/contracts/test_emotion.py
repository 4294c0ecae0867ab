"""What every engine of the layer emotion does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.kinds import Emotion
from worker.engines.emotion.base import EmotionEngine
from worker.engines.emotion.fake import Fake
from worker.engines.emotion.keywords import Keywords

PLAIN = [
    ("en", "When does the bus leave?"),
    ("ar", "متى تنطلق الحافلة؟"),
    ("en", ""),
    ("ar", " "),
    ("en", "12 \x00 \ud7ff"),
]


@pytest.fixture(params=[Fake, Keywords], ids=lambda made: str(made.name))
def engine(request: pytest.FixtureRequest) -> Iterator[EmotionEngine]:
    made: EmotionEngine = request.param()
    made.load()
    yield made
    made.unload()


@pytest.mark.parametrize(("language", "text"), PLAIN)
def test_a_plain_text_is_neutral(engine: EmotionEngine, language: str, text: str) -> None:
    reading = engine.read(text, language=language)
    assert reading.emotion is Emotion.NEUTRAL
    assert reading.intensity == 0.0


@pytest.mark.parametrize("emotion", [emotion for emotion in Emotion if emotion is not Emotion.NEUTRAL])
def test_a_named_emotion_is_read(engine: EmotionEngine, emotion: Emotion) -> None:
    reading = engine.read(f"I feel {emotion.value} today", language="en")
    assert reading.emotion is emotion
    assert 0.0 < reading.intensity <= 1.0


def test_the_same_text_reads_the_same(engine: EmotionEngine) -> None:
    assert engine.read("so much joy", language="en") == engine.read("so much joy", language="en")


def test_long_texts(engine: EmotionEngine) -> None:
    reading = engine.read("joy " * 500, language="en")
    assert reading.emotion is Emotion.JOY
    assert 0.0 < reading.intensity <= 1.0


def test_load_and_unload_are_idempotent(engine: EmotionEngine) -> None:
    engine.load()
    engine.unload()
    engine.unload()
    engine.load()
    assert engine.read("joy", language="en").emotion is Emotion.JOY
