"""The parts of the engine `transformers` of the layer emotion that need no weights, and the engine `off`."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from core.errors import EmotionError
from core.kinds import TONE_OF, Emotion, Layer, Tone
from worker.engines import registry
from worker.engines.emotion.base import Reading
from worker.engines.emotion.transformers.classifiers import CLASSIFIERS, ENGLISH, MANY, Classifier
from worker.engines.emotion.transformers.orders import PROBES, labels_of
from worker.engines.emotion.transformers.reading import reading_of
from worker.engines.emotion.transformers.wording import prepared

NEUTRAL = Reading(Emotion.NEUTRAL, 0.0)
BY_DATA, BY_CARD = MANY.orders


@pytest.mark.parametrize("label", list(ENGLISH.emotions))
def test_each_english_label_is_the_emotion_of_its_name(label: str) -> None:
    others = dict.fromkeys(ENGLISH.emotions, 0.1 / 6)
    read = reading_of(ENGLISH, {**others, label: 0.9})
    # (0.9 - 1/7) / (1 - 1/7) = 0.883
    assert read == (NEUTRAL if label == "neutral" else Reading(Emotion(label), 0.883))


@pytest.mark.parametrize(
    ("label", "emotion", "tone"),
    [
        ("anger", Emotion.ANGER, Tone.CALM),
        ("anticipation", Emotion.NEUTRAL, Tone.NEUTRAL),
        ("disgust", Emotion.DISGUST, Tone.CALM),
        ("fear", Emotion.FEAR, Tone.GENTLE),
        ("joy", Emotion.JOY, Tone.CHEERFUL),
        ("love", Emotion.JOY, Tone.CHEERFUL),
        ("optimism", Emotion.JOY, Tone.CHEERFUL),
        ("pessimism", Emotion.SADNESS, Tone.GENTLE),
        ("sadness", Emotion.SADNESS, Tone.GENTLE),
        ("surprise", Emotion.SURPRISE, Tone.LIVELY),
        ("trust", Emotion.NEUTRAL, Tone.NEUTRAL),
    ],
)
def test_each_label_of_the_eleven(label: str, emotion: Emotion, tone: Tone) -> None:
    read = reading_of(MANY, {**dict.fromkeys(MANY.emotions, 0.01), label: 0.9})
    # (0.9 - 1/2) / (1 - 1/2) = 0.8
    assert read == (NEUTRAL if emotion is Emotion.NEUTRAL else Reading(emotion, 0.8))
    assert TONE_OF[read.emotion] is tone


@pytest.mark.parametrize("classifier", CLASSIFIERS, ids=lambda each: each.weights)
def test_each_of_the_seven_can_be_read(classifier: Classifier) -> None:
    assert set(classifier.emotions.values()) == set(Emotion)


@pytest.mark.parametrize("order", MANY.orders)
def test_an_order_holds_each_label_once(order: tuple[str, ...]) -> None:
    assert sorted(order) == sorted(MANY.emotions)


@pytest.mark.parametrize(
    ("classifier", "probabilities", "read"),
    [
        (ENGLISH, {}, NEUTRAL),  # all alike
        (ENGLISH, {"joy": 0.4, "neutral": 0.4}, NEUTRAL),
        (ENGLISH, {"joy": 0.45, "neutral": 0.4}, Reading(Emotion.JOY, 0.358)),
        (ENGLISH, {"fear": 1.0}, Reading(Emotion.FEAR, 1.0)),
        (MANY, {}, NEUTRAL),
        (MANY, {"joy": 0.5}, NEUTRAL),
        (MANY, {"joy": 0.5001}, NEUTRAL),
        (MANY, {"joy": 0.6, "love": 0.75, "sadness": 0.7}, Reading(Emotion.JOY, 0.5)),
        (MANY, {"anticipation": 0.99, "trust": 0.9, "fear": 0.55}, Reading(Emotion.FEAR, 0.1)),
        (MANY, {"anger": 1.0, "disgust": 0.99}, Reading(Emotion.ANGER, 1.0)),
    ],
)
def test_what_is_read(classifier: Classifier, probabilities: dict[str, float], read: Reading) -> None:
    rest = 1 / 7 if not probabilities and classifier.exclusive else 0.0
    assert reading_of(classifier, {**dict.fromkeys(classifier.emotions, rest), **probabilities}) == read


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("  I feel\n\tGREAT!!  ", "I feel GREAT!!"),
        ("see https://example.com/a?b=c now", "see now"),
        ("انظر www.example.com/عرض الآن", "انظر الآن"),
        ("write to lina.k@mail.example.com, thanks", "write to , thanks"),
        ("@lina_1 شكرًا @omar", "شكرا"),
        ("#سعيد جدااااا", "#سعيد جدااااا"),
        ("أَنَا سَعِيـــدٌ", "أنا سعيد"),
        ("\u202bمرحبا\u202c\u200f", "مرحبا"),
        ("👩\u200d🚀 ❤️", "👩\u200d🚀 ❤️"),
        ("😢", "😢"),
        ("e\u0301", "é"),
        ("a\ud800b\x00c", "abc"),
        ("https://example.com", ""),
        ("@lina", ""),
        ("", ""),
        (" \u200f\n", ""),
        ("12 \x00 \ud7ff", ""),
        ("٣٫٥ + 7 = ؟!", ""),
    ],
)
def test_what_a_classifier_is_given(text: str, words: str) -> None:
    assert prepared(text) == words


def test_labels_are_those_that_the_model_names() -> None:
    named = dict(enumerate(label.upper() for label in BY_CARD))
    assert labels_of(MANY, named, _never) == BY_CARD


@pytest.mark.parametrize("order", MANY.orders)
def test_the_order_of_unnamed_labels_is_asked_for(order: tuple[str, ...]) -> None:
    meant = dict(PROBES)

    def ask(sentence: str) -> Sequence[float]:
        return [0.7 if label == meant[sentence] else 0.1 for label in order]

    assert labels_of(MANY, {index: f"LABEL_{index}" for index in range(11)}, ask) == order


def test_every_probe_tells_the_orders_apart() -> None:
    assert all(BY_DATA.index(label) != BY_CARD.index(label) for _, label in PROBES)


@pytest.mark.parametrize(
    ("classifier", "named", "said"),
    [
        (MANY, [f"LABEL_{index}" for index in range(11)], "does not tell them apart"),
        (MANY, [f"LABEL_{index}" for index in range(4)], "another model"),
        (ENGLISH, [f"LABEL_{index}" for index in range(7)], "another model"),
        (ENGLISH, list(BY_DATA), "differ by anticipation, love, neutral, optimism, pessimism, trust"),
        (MANY, [*BY_DATA[:-1], "hope"], "differ by hope, trust: run `smarttalker models fetch xlm-emo`"),
        (MANY, [*BY_DATA[:-1], "anger"], "another model"),
    ],
)
def test_other_labels_are_refused(classifier: Classifier, named: list[str], said: str) -> None:
    with pytest.raises(EmotionError, match=said):
        labels_of(classifier, dict(enumerate(named)), lambda _: [0.5] * len(named))


def test_nothing_is_read_where_reading_is_off() -> None:
    off = registry.make(Layer.EMOTION, "off")
    off.load()
    assert off.read("I am furious! 😡", language="en") == NEUTRAL
    assert off.read("أنا سعيد جدًا", language="ar") == NEUTRAL
    assert off.needs.weights == off.needs.packages == ()
    assert registry.engines_of(Layer.EMOTION, "off") == ("off",)
    off.unload()


def _never(_: str) -> Sequence[float]:
    raise AssertionError("asked, though the labels are named")
