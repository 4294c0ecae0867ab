"""What every engine of the layer emotion does."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from core.kinds import Emotion, Layer
from tests.taught import teach
from worker.engines import registry
from worker.engines.base import Place
from worker.engines.emotion.base import EmotionEngine, Reading

PLAIN = [
    ("en", "When does the bus leave?"),
    ("ar", "متى تنطلق الحافلة؟"),
    ("en", ""),
    ("ar", " "),
    ("en", "12 \x00 \ud7ff"),
]


NAMES = ("fake", "keywords", "off", pytest.param("transformers", marks=pytest.mark.models))
READERS = [name for name in NAMES if name != "off"]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return Place(models=tmp_path_factory.mktemp("models"))


@pytest.fixture(params=NAMES)
def engine(request: pytest.FixtureRequest, place: Place) -> Iterator[EmotionEngine]:
    if request.param == "transformers" and not any(place.models.iterdir()):
        teach(place.models)
    made: EmotionEngine = registry.make(Layer.EMOTION, request.param, place)
    assert made.name == request.param
    made.load()
    yield made
    made.unload()


def readers(test: Callable[..., None]) -> Callable[..., None]:
    """For the engines that read anything at all."""
    return pytest.mark.parametrize("engine", READERS, indirect=True)(test)


@pytest.mark.parametrize(("language", "text"), PLAIN)
def test_a_plain_text_is_neutral(engine: EmotionEngine, language: str, text: str) -> None:
    assert engine.read(text, language=language) == Reading(Emotion.NEUTRAL, 0.0)


@readers
@pytest.mark.parametrize("emotion", [emotion for emotion in Emotion if emotion is not Emotion.NEUTRAL])
def test_a_named_emotion_is_read(engine: EmotionEngine, emotion: Emotion) -> None:
    reading = engine.read(f"I feel {emotion.value} today", language="en")
    assert reading.emotion is emotion
    assert 0.0 < reading.intensity <= 1.0


def test_the_same_text_reads_the_same(engine: EmotionEngine) -> None:
    assert engine.read("so much joy", language="en") == engine.read("so much joy", language="en")


@readers
def test_long_texts(engine: EmotionEngine) -> None:
    reading = engine.read("joy " * 500, language="en")
    assert reading.emotion is Emotion.JOY
    assert 0.0 < reading.intensity <= 1.0


def test_load_and_unload_are_idempotent(engine: EmotionEngine) -> None:
    before = engine.read("joy", language="en")
    assert before.emotion is (Emotion.NEUTRAL if engine.name == "off" else Emotion.JOY)
    engine.load()
    engine.unload()
    engine.unload()
    engine.load()
    assert engine.read("joy", language="en") == before
