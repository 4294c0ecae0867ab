"""Text for speech: the table of what is written and what is said, and what holds for any text."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.text import counted, speakable

TABLE = Path(__file__).parents[1] / "data" / "speech.tsv"
ROWS = [tuple(line.split("\t")) for line in TABLE.read_text(encoding="utf-8").splitlines()[1:]]


@pytest.mark.parametrize(("language", "text", "spoken"), ROWS)
def test_the_table(language: str, text: str, spoken: str) -> None:
    assert speakable(text.replace("\\n", "\n"), language) == spoken


def test_the_table_is_large_and_arabic_first() -> None:
    arabic = sum(row[0] == "ar" for row in ROWS)
    assert len(ROWS) >= 260
    assert len(set(ROWS)) == len(ROWS)
    assert arabic > len(ROWS) // 2


WRITTEN = st.lists(
    st.one_of(
        st.sampled_from("0123456789٠٣٩۵²½①.,:/-+%٪$€£°#@&=×*_~|[]()\n ـ'\""),
        st.sampled_from(
            ["ريال", "أيام", "تذكرة", "الساعة ", "ص", "م", "بـ", "الـ", "إلى", "kg", "pm", "SAR", "May ", "k"]
        ),
        st.characters(),
    ),
    max_size=30,
).map("".join)


@given(WRITTEN, st.sampled_from(["ar", "en"]))
def test_anything_can_be_said(text: str, language: str) -> None:
    spoken = speakable(text, language)
    assert not any(char.isdigit() for char in spoken)
    assert "\n" not in spoken
    assert speakable(spoken, language) == spoken


COUNTED = [
    (1, "SAR", "ar", "ريال واحد"),
    (2, "SAR", "ar", "ريالان"),
    (3, "SAR", "ar", "3 ريالات"),
    (95, "SAR", "ar", "95 ريالًا"),
    (100, "SAR", "ar", "100 ريال"),
    (102, "SAR", "ar", "102 ريال"),
    (1899, "SAR", "ar", "1,899 ريالًا"),
    (2.5, "SAR", "ar", "2.50 ريال"),
    (2, "EUR", "ar", "2 يورو"),
    (0, "ticket", "ar", "0 تذكرة"),
    (2, "ticket", "ar", "تذكرتان"),
    (10, "hour", "ar", "10 ساعات"),
    (11, "day", "ar", "11 يومًا"),
    (8, "night", "ar", "8 ليالٍ"),
    (23, "kilo", "ar", "23 كيلوغرامًا"),
    (1.5, "hour", "ar", "1.5 ساعة"),
    (0, "SAR", "ar", "0 ريال"),
    (1, "ticket", "ar", "تذكرة واحدة"),
    (-1, "SAR", "ar", "-1 ريال"),
    (-2, "SAR", "ar", "-2 ريال"),
    (103, "ticket", "ar", "103 تذاكر"),
    (1110, "person", "ar", "1,110 أشخاص"),
    (1111, "person", "ar", "1,111 شخصًا"),
    (1, "EUR", "ar", "يورو واحد"),
    (1.255, "KWD", "ar", "1.255 دينار"),
    (0.5, "hour", "ar", "0.5 ساعة"),
    (0, "ticket", "en", "0 tickets"),
    (-1, "kilo", "en", "-1 kilo"),
    (11, "night", "en", "11 nights"),
    (1.5, "hour", "en", "1.5 hours"),
    (1, "ticket", "en", "1 ticket"),
    (2, "person", "en", "2 people"),
    (1200, "SAR", "en", "1,200 riyals"),
    (2.5, "USD", "en", "2.50 dollars"),
    (0.5, "kilo", "en", "0.5 kilos"),
]


@pytest.mark.parametrize(("number", "unit", "language", "written"), COUNTED)
def test_counted(number: float, unit: str, language: str, written: str) -> None:
    assert counted(number, unit, language) == written


BEFORE = [
    (1, "السعر بـ", "ريال واحد"),
    (1, "السعر ", "ريال واحد"),
    (1, "يكلف الكوب ", "ريالًا واحدًا"),
    (2, "السعر بـ", "ريالين"),
    (2, "السعر ", "ريالان"),
    (2, "من ", "ريالين"),
    (2, "بنحو ", "ريالين"),
    (2, "يكلف الكوب ", "ريالين"),
    (2, "لم يبق معي سوى ", "ريالين"),
    (2, "بقي ", "ريالان"),
    (3, "يكلف الكوب ", "3 ريالات"),
]


@pytest.mark.parametrize(("number", "before", "written"), BEFORE)
def test_counted_takes_its_case_from_what_stands_before(number: int, before: str, written: str) -> None:
    assert counted(number, "SAR", "ar", before=before) == written


def test_an_unknown_unit_cannot_be_counted() -> None:
    with pytest.raises(KeyError):
        counted(1, "parsec", "ar")
