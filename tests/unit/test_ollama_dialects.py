"""Which Arabic somebody writes."""

from __future__ import annotations

from collections import Counter

import pytest

from bench.heldout import rows
from worker.engines.llm.ollama.dialects import Dialect, dialect_of

TABLE = [
    ("عايز أحجز تذكرة لجدة بكام؟", "egyptian"),
    ("إزيك، العيادة بتفتح امتى دلوقتي؟", "egyptian"),
    ("هو ينفع آخد كشف النهارده من غير معاد ولا إيه", "egyptian"),
    ("أبغى أعرف وش الأسعار عندكم الحين", "gulf"),
    ("شلون أحجز؟ ودي أروح مكة", "gulf"),
    ("وين طلبي، للحين ما وصل", "gulf"),
    ("بدي موعد عند دكتور السنان، قديش الكشفية؟", "levantine"),
    ("شو في عندكن هلق؟", "levantine"),
    ("كيفك؟ فيني إجي هيك بلا موعد", "levantine"),
    ("شحال الثمن ديال التيكي؟", "maghrebi"),
    ("واش كاين شي موعد دابا؟ بغيت نحجز", "maghrebi"),
    ("برشا غالي، شنوة الحل؟", "maghrebi"),
    ("ما أوقات العيادة؟", "msa"),
    ("أريد أن أحجز موعدًا مع الطبيب غدًا، فكيف أفعل؟", "msa"),
    ("بكم الخبز؟", "msa"),
    ("كم تكلفة التذكرة إلى المدينة المنورة ذهابًا وإيابًا؟", "msa"),
    ("هل تقبلون بطاقات الائتمان؟", "msa"),
    ("هل تستقبلون الأطفال يوم السبت؟", "msa"),
    ("هل هناك حاجة إلى حجز مسبق؟", "msa"),
    ("هل توجد أية خصومات؟", "msa"),
    ("كم من الوقت يأخذ التوصيل؟", "msa"),
    ("لا أدري متى أصل، فماذا أفعل؟", "msa"),
    ("هل من حق المسافر أن يغير موعده؟", "msa"),
    ("متى ميعاد الحافلة القادمة؟", "msa"),
    ("أبي مريض وأريد له موعدًا", "msa"),
    ("هل عيادة الدكتور ياسر في مكان هادئ؟", "msa"),
    ("أبي هدية مغلفة", "gulf"),
    ("ليش تأخر الطلب؟ صار له أسبوع", "gulf"),
    ("هتفتحوا بكرة الصبح؟", "egyptian"),
    ("معنديش رقم الطلب", "egyptian"),
    ("وين صاير محلكن؟", "levantine"),
    ("ما عم بقدر فوت عالتطبيق", "levantine"),
    ("how much is it?", "msa"),
    ("", "msa"),
    ("👍", "msa"),
]


@pytest.mark.parametrize(("text", "dialect"), TABLE)
def test_one_message(text: str, dialect: str) -> None:
    assert dialect_of([text]) == dialect


@pytest.mark.parametrize("spelt", ["عايِز أحجز", "عايـــز أحجز", "وعايز أحجز", "عايزة أحجز"])
def test_spelling_does_not_matter(spelt: str) -> None:
    assert dialect_of([spelt]) == Dialect.EGYPTIAN


@pytest.mark.parametrize(
    ("texts", "dialect"),
    [
        (["عايز أحجز دلوقتي", "ومتى أول رحلة؟"], "egyptian"),
        (["شو الأسعار هلق؟ بدي أعرف", "شكرا"], "levantine"),
        (["عايز أحجز دلوقتي", "وش الأسعار عندكم الحين"], "gulf"),
        (["عايز أحجز دلوقتي", "هل هذه هي أول رحلة؟"], "msa"),
        ([], "msa"),
    ],
)
def test_what_was_said_before_decides_in_doubt(texts: list[str], dialect: str) -> None:
    assert dialect_of(texts) == dialect


def test_held_out_questions() -> None:
    """A dialect that is told is the right one, and standard Arabic is never taken for one; short questions without a
    word of their own dialect may pass for standard."""
    told = Counter[tuple[str, str]]()
    for row in rows("questions"):
        if row["language"] == "ar":
            told[row["dialect"], dialect_of([row["question"]])] += 1
    standard = {name: count for (dialect, name), count in told.items() if dialect == "msa"}
    assert set(standard) == {"msa"}
    claimed = {pair: count for pair, count in told.items() if pair[1] != "msa"}
    right = sum(count for (dialect, name), count in claimed.items() if dialect == name)
    assert right >= 0.9 * sum(claimed.values())
    assert right >= 0.55 * sum(count for (dialect, _), count in told.items() if dialect != "msa")
