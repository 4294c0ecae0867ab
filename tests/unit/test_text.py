from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.text import SentenceSplitter, detect_language, fold, is_diacritised, sentences, without_marks

FOLDED = [
    ("أَهْلًا وَسَهْلًا", "اهلا وسهلا"),
    ("إلى آخر", "الي اخر"),
    ("شـكـراً!!", "شكرا"),
    ("التذكرة", "التذكره"),
    ("سؤال عن شيء", "سوال عن شي"),
    ("رقم ١٢٣", "رقم 123"),
    ("شكراااااا", "شكرا"),
    ("What's the PRICE?", "whats the price"),
    ("\u2067مرحبا\u2069", "مرحبا"),
    ("کیف", "كيف"),
    ("Café – Ünder_score", "cafe under score"),
    ("100 000", "100 000"),
    ("1000", "1000"),
    ("🙂", ""),
]


@pytest.mark.parametrize(("text", "folded"), FOLDED)
def test_fold(text: str, folded: str) -> None:
    assert fold(text) == folded


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


def test_marks() -> None:
    assert without_marks("مَرْحَـــبًا") == "مرحبا"
    assert is_diacritised("مَرْحَبًا بِكُمْ")
    assert not is_diacritised("شكرًا لك على سؤالك")
    assert not is_diacritised("hello")


SPLIT = [
    ("Hello there. How are you? Fine!", ["Hello there.", "How are you?", "Fine!"]),
    ("أهلًا بك! كيف حالك؟ بخير.", ["أهلًا بك!", "كيف حالك؟", "بخير."]),
    ("أولًا هذا؛ ثم ذاك.", ["أولًا هذا؛", "ثم ذاك."]),
    ("It costs 3.50 today. Yes.", ["It costs 3.50 today.", "Yes."]),
    ("Ask Dr. Salem. He knows.", ["Ask Dr. Salem.", "He knows."]),
    ("1. First\n2. Second", ["1. First", "2. Second"]),
    ("Really?! Yes…", ["Really?!", "Yes…"]),
    ('He said "go." Then left.', ['He said "go."', "Then left."]),
    ("one line\nanother", ["one line", "another"]),
    ("...\n\n", []),
    ("بـ3.50 ريال فقط. تفضل.", ["بـ3.50 ريال فقط.", "تفضل."]),
    ("مع د. سالم. أو أ.د. منى الحربي.", ["مع د. سالم.", "أو أ.د. منى الحربي."]),
    ("أرسلها إلى ص.ب. 1234 جدة. شكرًا.", ["أرسلها إلى ص.ب. 1234 جدة.", "شكرًا."]),
    ("السعر 5 د.ك. للطفل. وأكثر.", ["السعر 5 د.ك. للطفل.", "وأكثر."]),
    ("حقًا؟! نعم.", ["حقًا؟!", "نعم."]),
    ("أهلًا بك.كيف أساعدك؟تفضل!شكرًا", ["أهلًا بك.", "كيف أساعدك؟", "تفضل!", "شكرًا"]),
    ("زر www.jasmine.com. ثم احجز.", ["زر www.jasmine.com.", "ثم احجز."]),
    ("لدينا Wi-Fi. وموقف VIP.", ["لدينا Wi-Fi.", "وموقف VIP."]),
    ("قال: «نعم.» ثم خرج.", ["قال: «نعم.»", "ثم خرج."]),
    ("الخطوات: 1. احجز. 2. ادفع.", ["الخطوات: 1. احجز.", "2. ادفع."]),
    ("عندنا ثلاثة… لحظة. نعم", ["عندنا ثلاثة…", "لحظة.", "نعم"]),
    ("نفتح 8:30. ونغلق 22:00.", ["نفتح 8:30.", "ونغلق 22:00."]),
    (
        "We open at 8 a.m. on Friday. Come at 9 p.m. We wait.",
        ["We open at 8 a.m. on Friday.", "Come at 9 p.m.", "We wait."],
    ),
    ("Is it far? No. It is near.", ["Is it far?", "No.", "It is near."]),
    ("Take bus No. 7 today. Fine.", ["Take bus No. 7 today.", "Fine."]),
    ("Bags, boxes, etc. are free. Others, etc. Ask us.", ["Bags, boxes, etc. are free.", "Others, etc.", "Ask us."]),
    ("See example.com/a.html now. Thanks.", ["See example.com/a.html now.", "Thanks."]),
    ("Wait... what? OK.", ["Wait...", "what?", "OK."]),
    ("Steps: 1. Book. 2. Pay.", ["Steps: 1. Book.", "2. Pay."]),
    ("Version 2.5.1 is out! Try it.", ["Version 2.5.1 is out!", "Try it."]),
    ("It ends at 9 p.m.", ["It ends at 9 p.m."]),
    ("", []),
    ("no end", ["no end"]),
]


@pytest.mark.parametrize(("text", "parts"), SPLIT)
def test_sentences(text: str, parts: list[str]) -> None:
    assert sentences(text) == parts


@pytest.mark.parametrize(("text", "parts"), SPLIT)
def test_sentences_letter_by_letter(text: str, parts: list[str]) -> None:
    splitter = SentenceSplitter()
    found = [sentence for letter in text for sentence in splitter.feed(letter)]
    assert [*found, *splitter.flush()] == parts


def test_a_sentence_comes_as_soon_as_it_is_whole() -> None:
    splitter = SentenceSplitter()
    assert splitter.feed("مرحبًا بك") == []
    assert splitter.feed("! ") == ["مرحبًا بك!"]
    assert splitter.feed("كيف") == []
    assert splitter.flush() == ["كيف"]
    assert splitter.flush() == []


@pytest.mark.parametrize("mark", ["،", ",", ""])
def test_an_endless_sentence_is_cut(mark: str) -> None:
    parts = sentences(f"كلمة{mark} " * 200)
    assert max(map(len, parts)) <= 320
    assert "".join(parts).count("كلمة") == 200
    assert len(sentences("x" * 2000)) == 7


@given(st.text(alphabet="ab .!\n؟،1", max_size=400))
def test_no_letter_is_lost(text: str) -> None:
    assert [c for part in sentences(text) for c in part if c.isalnum()] == [c for c in text if c.isalnum()]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("مرحبا", "ar"),
        ("hello", "en"),
        ("أريد VIP", "ar"),
        ("what does تذكرة mean please", "en"),
        ("12345 !", None),
        ("", None),
        ("你好", None),
        ("ﻣﺮﺣﺒﺎ", "ar"),
    ],
)
def test_detect_language(text: str, language: str | None) -> None:
    assert detect_language(text) == language
