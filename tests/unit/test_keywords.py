from __future__ import annotations

import re
import time
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.kinds import Emotion
from core.persona import read_persona
from worker.engines.emotion import keywords
from worker.engines.emotion.keywords import Keywords
from worker.engines.emotion.keywords.lexicon import EMOTIONS
from worker.engines.emotion.keywords.patterns import parsed
from worker.engines.emotion.keywords.spelling import folded
from worker.engines.emotion.keywords.stems import stems

ANGER, DISGUST, FEAR, JOY, NEUTRAL, SADNESS, SURPRISE = (
    Emotion.ANGER,
    Emotion.DISGUST,
    Emotion.FEAR,
    Emotion.JOY,
    Emotion.NEUTRAL,
    Emotion.SADNESS,
    Emotion.SURPRISE,
)
WORDS = tomllib.loads(Path(keywords.__file__).with_name("words.toml").read_text(encoding="utf-8"))
PERSONAS = sorted(Path(__file__).parents[2].glob("avatars/*/persona.toml"))
NEUTRAL_AT_LEAST = 0.97
STEMS_AT_LEAST = 40

SPELT = [
    ("طَفَحَ الكَيْلُ", ANGER),
    ("زعـــلان", ANGER),
    ("زعلاااااان", ANGER),
    ("وزعلانين", ANGER),
    ("الأكل مئرف", DISGUST),
    ("الأكل مگرف", DISGUST),
    ("ارفان من المكان", DISGUST),
    ("خائفة", FEAR),
    ("خايفه", FEAR),
    ("بخاف كتير", FEAR),
    ("هيخاف من الحقنة", FEAR),
    ("عم بخاف", FEAR),
    ("لزيز والله", JOY),
    ("مبسووووطين", JOY),
    ("راااائع", JOY),
    ("مكتئبه", SADNESS),
    ("حزينا", SADNESS),
    ("I am ANGRYYYY", ANGER),
    ("ughhhh", ANGER),
    ("happyyyy", JOY),
    ("I’m scared", FEAR),
    ("im scared", FEAR),
    ("ana 7azeen", SADNESS),
    ("mabsoot awi", JOY),
]

DENIED = [
    ("I am not angry", NEUTRAL),
    ("I'm not happy with this", SADNESS),
    ("never been happier", JOY),
    ("never been so angry", ANGER),
    ("it isn't bad", NEUTRAL),
    ("not sad anymore", NEUTRAL),
    ("I am not unhappy", NEUTRAL),
    ("I can't sleep, I am so afraid", FEAR),
    ("not only angry but furious", ANGER),
    ("no, I am angry", ANGER),
    ("لست خائفا", NEUTRAL),
    ("مش مبسوط من الخدمة", SADNESS),
    ("ما عجبني", SADNESS),
    ("معجبنيش", SADNESS),
    ("مزعلتش", NEUTRAL),
    ("متزعلش", NEUTRAL),
    ("ومش زعلان", NEUTRAL),
    ("ما زلت غاضبا", ANGER),
    ("بدون خوف", NEUTRAL),
    ("ما نمت من الخوف", FEAR),
]

CONTRASTED = [
    ("I was scared but now I am happy", JOY),
    ("the trip was lovely but the driver was rude", ANGER),
    ("الرحلة حلوة بس الحمام مقرف", DISGUST),
    ("كنت خايف لكن الحين مبسوط", JOY),
]

ABOUT = [
    ("do you sell happy birthday cards?", NEUTRAL),
    ("I want to buy a book about joy", NEUTRAL),
    ("if I am not happy can I return it", NEUTRAL),
    ("متى عيد الفرح", NEUTRAL),
    ("ليش زعلان؟", NEUTRAL),
    ("هل أنا خائف بلا سبب؟", FEAR),
    ("Is it normal that I am scared?", FEAR),
    ("why is your service so terrible?", ANGER),
    ("my name is Joy", NEUTRAL),
    ("can I talk to Joy", NEUTRAL),
    ("معك سعيد", NEUTRAL),
    ("دكتورة فرح", NEUTRAL),
    ("أنا سعيد", JOY),
]

INSIDE = [
    "madrid is a city",
    "The creation of a cryptic gladiator",
    "embarrass classmates",
    "أحزمة الأمان",
    "غضروف الركبة",
]

SIGNS = [
    ("😡", ANGER),
    ("🤢", DISGUST),
    ("😱", FEAR),
    ("😍😍", JOY),
    ("❤️", JOY),
    ("❤", JOY),
    ("🙌🏽", JOY),
    ("😮‍💨", SURPRISE),
    (":)", JOY),
    ("ok:D", JOY),
    ("XD", JOY),
    ("^^", JOY),
    ("<3", JOY),
    (":(", SADNESS),
    (":'(", SADNESS),
    ("</3", SADNESS),
    ("☹️", SADNESS),
    (":O", SURPRISE),
    ("👍🏿", NEUTRAL),
    ("https://example.com/a", NEUTRAL),
    ("at 10:05 (see 8)", NEUTRAL),
    ("from:Dubai to:Oman", NEUTRAL),
]

ASTONISHED = [
    ("مجاني؟!", SURPRISE),
    ("You open on Fridays?!", SURPRISE),
    ("Really?", SURPRISE),
    ("بجد؟", SURPRISE),
    ("Really? When?", SURPRISE),
    ("ايش!!", SURPRISE),
    ("What?? When?", SURPRISE),
    ("إيه المفاجأة دي", SURPRISE),
    ("شو هالاستخفاف", ANGER),
    ("What? When?", NEUTRAL),
    ("You open on Fridays?", NEUTRAL),
]

MORE_AND_LESS = [
    ("I am very sad", "I am sad"),
    ("I am very very sad", "I am very sad"),
    ("I am sad", "I am a bit sad"),
    ("I am sad!", "I am sad"),
    ("I am sad!!!", "I am sad!"),
    ("زعلان جدا", "زعلان"),
    ("زعلان", "زعلان شوي"),
    ("مبسوط أوي أوي", "مبسوط أوي"),
    ("مبسووووط", "مبسوط"),
    ("angry and furious", "angry"),
    ("I AM FURIOUS", "i am furious"),
    ("furious", "annoyed"),
    ("😡😡😡", "😡"),
    ("😡", "😒"),
]


def emotion(text: str) -> Emotion:
    return Keywords().read(text, language="ar").emotion


def intensity(text: str) -> float:
    return Keywords().read(text, language="en").intensity


def stems_of(of: Emotion, language: str) -> set[str]:
    """The feeling words, each in its shortest form, so that two forms of one word count once; phrases do not count."""
    entries = ",".join(WORDS[of.value][section].get(language, "") for section in ("strong", "plain", "mild"))
    pieces = (re.split("[ _]+", entry.strip()) for entry in entries.split(","))
    return {" ".join(_shortest(word) for word in words) for words in pieces} - {""}


def _shortest(word: str) -> str:
    return min(stems(folded(word.strip("=-*"))), key=lambda form: (len(form), form))


@pytest.mark.parametrize(
    ("text", "expected"),
    [*SPELT, *DENIED, *CONTRASTED, *ABOUT, *SIGNS, *ASTONISHED, *((text, NEUTRAL) for text in INSIDE)],
)
def test_read(text: str, expected: Emotion) -> None:
    assert emotion(text) is expected


@pytest.mark.parametrize(("more", "less"), MORE_AND_LESS)
def test_intensity(more: str, less: str) -> None:
    assert 1.0 >= intensity(more) > intensity(less) > 0.0


@pytest.mark.parametrize("language", ["ar", "en"])
@pytest.mark.parametrize("of", EMOTIONS)
def test_each_emotion_has_its_stems(of: Emotion, language: str) -> None:
    assert len(stems_of(of, language)) >= STEMS_AT_LEAST


@pytest.mark.parametrize("entry", ["", "..", ".. angry", "angry .."])
def test_an_entry_needs_words_around_its_gaps(entry: str) -> None:
    with pytest.raises(ValueError, match="words around its gaps"):
        list(parsed(entry, ANGER))


def test_what_businesses_are_asked_is_neutral() -> None:
    asked = [
        phrasing
        for persona in map(read_persona, PERSONAS)
        for answer in persona.answers
        for phrasings in answer.questions.values()
        for phrasing in phrasings
    ]
    felt = [phrasing for phrasing in asked if emotion(phrasing) is not NEUTRAL]
    assert asked
    assert len(felt) / len(asked) <= 1 - NEUTRAL_AT_LEAST, felt


@given(st.text())
def test_it_takes_anything(text: str) -> None:
    reading = Keywords().read(text, language="ar")
    assert (reading.intensity == 0.0) == (reading.emotion is NEUTRAL)
    assert reading == Keywords().read(text, language="ar")


@pytest.mark.alone
@pytest.mark.parametrize(
    "text", ["كلمات كثيرة هنا ", "ما ", "not ", "i am waiting ", "😡", "?!", "a", "ا", "!.", "but "]
)
def test_it_is_quick_with_two_thousand_characters(text: str) -> None:
    engine = Keywords()
    engine.load()
    start = time.perf_counter()
    engine.read((text * 2000)[:2000], language="ar")
    assert time.perf_counter() - start < 0.5
