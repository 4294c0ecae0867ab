from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.kinds import Emotion
from worker.engines.emotion.keywords import Keywords

ANGER, DISGUST, FEAR, JOY, NEUTRAL, SADNESS, SURPRISE = (
    Emotion.ANGER,
    Emotion.DISGUST,
    Emotion.FEAR,
    Emotion.JOY,
    Emotion.NEUTRAL,
    Emotion.SADNESS,
    Emotion.SURPRISE,
)

READ = [
    ("أنا غاضب جدًا من التأخير", ANGER),
    ("والله معصب منكم", ANGER),
    ("هذه أسوأ خدمة رأيتها", ANGER),
    ("طَفَحَ الكَيْلُ", ANGER),
    ("ليش زعلان؟", ANGER),
    ("This is unacceptable, I am furious!", ANGER),
    ("I'm fed up with waiting", ANGER),
    ("المقعد كان مقرفًا", DISGUST),
    ("ريحة الحافلة قذرة", DISGUST),
    ("The seats were filthy and gross", DISGUST),
    ("أنا خائفة من العملية", FEAR),
    ("قلقان على ابني", FEAR),
    ("خايف يفوتني الباص", FEAR),
    ("I'm scared of the operation", FEAR),
    ("I am worried about my results", FEAR),
    ("أنا سعيد جدا اليوم", JOY),
    ("مبسوطة كتير من الخدمة", JOY),
    ("رااااائع! شكرا جزيلا", JOY),
    ("That's wonderful, I love it", JOY),
    ("😍😍", JOY),
    ("أشعر بالحزن", SADNESS),
    ("قلبي مكسور", SADNESS),
    ("والدي توفي أمس", SADNESS),
    ("I feel so lonely and sad", SADNESS),
    ("My father passed away", SADNESS),
    ("😭", SADNESS),
    ("يا إلهي، لا أصدق!", SURPRISE),
    ("واو", SURPRISE),
    ("Wow, I didn't expect that", SURPRISE),
    ("I'm not happy with this", SADNESS),
    ("مش مبسوط من الخدمة", SADNESS),
    ("I am not angry", NEUTRAL),
    ("لست خائفا", NEUTRAL),
    ("متى تنطلق الحافلة إلى جدة؟", NEUTRAL),
    ("كم سعر التذكرة من فضلك", NEUTRAL),
    ("شكرا", NEUTRAL),
    ("How much is a ticket?", NEUTRAL),
    ("Can I change my appointment to Saturday?", NEUTRAL),
    ("madrid is a city", NEUTRAL),
    ("The creation of a cryptic gladiator", NEUTRAL),
    ("أريد إلغاء الموعد", NEUTRAL),
]


def intensity(text: str) -> float:
    return Keywords().read(text, language="en").intensity


@pytest.mark.parametrize(("text", "emotion"), READ)
def test_read(text: str, emotion: Emotion) -> None:
    assert Keywords().read(text, language="ar").emotion is emotion


@pytest.mark.parametrize(
    ("more", "less"),
    [
        ("I am very sad", "I am sad"),
        ("I am sad", "I am a bit sad"),
        ("I am sad!!!", "I am sad"),
        ("زعلان جدا", "زعلان"),
        ("زعلان", "زعلان شوي"),
        ("angry and furious", "angry"),
        ("I AM FURIOUS", "i am furious"),
    ],
)
def test_intensity(more: str, less: str) -> None:
    assert intensity(more) > intensity(less) > 0.0


@given(st.text())
def test_it_takes_anything(text: str) -> None:
    reading = Keywords().read(text, language="ar")
    assert (reading.intensity == 0.0) == (reading.emotion is NEUTRAL)


@pytest.mark.alone
def test_it_is_quick() -> None:
    engine = Keywords()
    engine.load()
    start = time.perf_counter()
    engine.read("كلمات كثيرة هنا " * 125, language="ar")
    assert time.perf_counter() - start < 0.5
