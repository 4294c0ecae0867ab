"""The case in which a number stands, as far as the words before it tell.

One rule: a number is genitive behind a preposition or a noun that it is annexed to, accusative behind a verb of the
same clause that takes it as its object or as an adverb, and nominative everywhere else. Times and dates are adverbs of
time and so accusative, unless they begin the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from core.text.arabic.numbers import Case
from core.text.folding import fold

_REACH = 120
"""Characters before a number that are looked at."""
_fold = lru_cache(maxsize=4096)(fold)
_PREFIX = re.compile(r"(?:^|[^\w])[وف]?[بلك]ـ?\Z")
_JOINT = re.compile(r"(?<![\d.,])(\d[\d.,]*)[^.!?؟؛،\n\d]*(?<!\w)و\Z")
"""A number that another is joined to by و, and so shares its case."""
_CLAUSE = re.compile(r"[.!?؟؛،,;:\n]")
_WORDS = re.compile(r"[^\W\d_]+")


def folded(words: str) -> frozenset[str]:
    """The words of a table, folded."""
    return frozenset(fold(word) for word in words.split())


_PREPOSITIONS = folded("""
من إلى الى في على عن حتى منذ مذ مع بين خلال قبل بعد فوق تحت حول ضمن دون بدون كل لكل حوالي نحو قرابة زهاء مدة لمدة مدار
طوال رغم سوى غير عبر عند لدى أول آخر رقم برقم قيمة بقيمة سعر بسعر مبلغ بمبلغ خصم بخصم نسبة بنسبة تخفيض زيادة بزيادة
عمر بعمر وزن بوزن طول بطول عرض بعرض عام عامي سنة لسنة بمقدار مقدار بمعدل معدل بحد بسن سن فئة ذات ذي بتكلفة بواقع مسافة
لمسافة بمسافة يوم ليوم بتاريخ تاريخ صفحة بحدود حدود مقاس بمقاس حجم بحجم أبعاد دفع شاشة رؤية صيف شتاء ربيع خريف موسم
مقابل ضمان كفالة كاميرا ذاكرة بطارية غسالة قوة دقة بعمق بسعة سعة بسرعة سرعة بدرجة حرارة
""")
_VERBS = folded("""
يبعد تبعد نستقبلك نستقبلكم اضغط نعمل يكلف تكلف كلف كلفت كلفني يكلفك تكلفك يكلفني يستغرق تستغرق استغرق استغرقت يبلغ
تبلغ بلغ بلغت يساوي تساوي يعادل تعادل أدفع تدفع يدفع ندفع دفعت دفعنا ادفع سأدفع ستدفع تدفعين أريد تريد نريد يريد
تريدين أحتاج تحتاج يحتاج نحتاج ستحتاج احجز أحجز تحجز نحجز حجزت حجزنا اشتر أشتري تشتري اشتريت اطلب أطلب طلبت نطلب يطلب
انتظر انتظرنا أنتظر تنتظر ينتظر انتظرت نقبل يقبل تقبل يحمل تحمل يزن تزن يسع تسع يضم تضم يستوعب تستوعب ينقل تنقل نقدم
يقدم تقدم نعطيك أعطيك يعطيك نرد نعيد نخصم يخصم أضف تضيف نضيف أضاف أخذت آخذ تأخذ يأخذ نأخذ خذ يستمر تستمر استمر تمتد
يمتد نوفر توفر يوفر تربح كسبت أملك تملك يملك نملك كان كانت يكون تكون ستكون سيكون أصبح أصبحت صار صارت ليس ليست يتجاوز
تتجاوز تجاوز يتعدى تتعدى نستقبل يتسع تتسع أرسل أرسلت نرسل قطعت يقطع تقطع نفتح نغلق أمضيت قضيت قضينا نمنح يمنح احتفظ
اترك أحضر أحضروا وقف يقف نقف تقف توقف يتوقف نتوقف تتوقف نسير يدوم تدوم دام ندوم تحتمل يكسبك تكسبك يكسب تكسب نكسب يمنحك
نمنحك نحفظ استلم استلمت اشترى اشترينا بعنا باع بعت نبيع رأيت قرأت يستخدم استخدم ربح ربحت خسر خسرت استأجر استأجرت اختر
اختار تختار أكلت شربت اشرب صم نصوم ينقصك تنقصك أعطني أعطنا هات نوظف وظفنا يشمل تشمل شمل شملت يغطي تغطي افتح أنجزنا
خدمنا ارتفع ارتفعت انخفض انخفضت زاد زادت نقص نقصت يرتفع ترتفع ينخفض تنخفض تأخر تأخرت يتأخر تتأخر نتأخر عاش عشت نقضي
يقضي تقضي درست درسنا عملت عملنا سكنت نمت مشيت ركضت أخر يخسر نربح حفظت كتبت أرسلنا جهزنا يفتح تفتح مفتوح مفتوحة مفتوحون
مفتوحين يغلق تغلق مغلق مغلقة
""")
_PARTICLES = folded("إن أن لأن لكن كأن")
"""Particles whose subject, right behind them, is accusative."""
_OCLOCK = fold("الساعة")
_TOPICS = folded("""
السعر سعرها سعره سعر الثمن ثمنها ثمنه التكلفة تكلفتها تكلفته المدة مدتها مدته الأجرة الرسوم رسوم المجموع مجموعها
العدد عدد عددها عددهم الوزن الحد القيمة قيمتها المسافة الضمان التوصيل
""")
"""Subjects of a new clause, of which the number is the predicate, unless a verb stands right before them."""
_NOMINATIVE = folded("""
بقي بقيت هو هي هناك لدينا عندنا لديك عندك يوجد توجد اليوم إنه إنها يتوفر تتوفر متبق تبقى يتبقى الآن وصل وصلت
""")


def case_after(before: str) -> Case:
    """The case of a number that follows `before`."""
    before = before[-_REACH:]
    if _PREFIX.search(before) or before.rstrip().endswith("×"):
        return Case.GENITIVE
    if before.rstrip().endswith("="):
        return Case.ACCUSATIVE
    if joint := _JOINT.search(before):
        return case_after(before[: joint.start(1)])
    words = _last_words(before)
    if words and _governs(words[-1]):
        return Case.GENITIVE
    if words and words[-1] in _PARTICLES:
        return Case.ACCUSATIVE
    return Case.ACCUSATIVE if _verb_governs(words) else Case.NOMINATIVE


def is_annexed(before: str) -> bool:
    """Whether a preposition or an annexed noun stands right before."""
    before = before[-_REACH:]
    if _PREFIX.search(before):
        return True
    words = _last_words(before)
    return bool(words) and _governs(words[-1])


def adverb_after(before: str) -> Case:
    """The case of a time or date that follows: an adverb of time, where it does not begin the text."""
    words = _last_words(before)
    if not words or words[-1] in _NOMINATIVE:
        return Case.NOMINATIVE
    if words[-1] == _OCLOCK and len(words) > 1:
        words.pop()
    return Case.GENITIVE if _governs(words[-1]) or _PREFIX.search(before[-_REACH:]) else Case.ACCUSATIVE


def _last_words(before: str) -> list[str]:
    """The folded words of the clause at the text's end, as far as _REACH characters back."""
    clause = _CLAUSE.split(before[-_REACH:])[-1]
    return [folded_word for word in _WORDS.findall(clause) if (folded_word := _fold(word))]


def _governs(word: str) -> bool:
    return any(form in _PREPOSITIONS for form in _without_prefixes(word))


def _without_prefixes(word: str) -> Iterator[str]:
    """The word, and what it is without و or ف, and without ب, ل or ك behind them: وبنحو is نحو."""
    yield word
    if word[0] in "وف":
        word = word[1:]
        yield word
    if word[:1] in ("ب", "ل", "ك"):
        yield word[1:]


def _verb_governs(words: list[str]) -> bool:
    """Whether the last word of the clause that governs is a verb with an object to come."""
    for place in range(len(words) - 1, -1, -1):
        if words[place] in _NOMINATIVE:
            return False
        if _is_verb(words[place]):
            return True
        if words[place].removeprefix("ف").removeprefix("و") in _TOPICS and not (place and _is_verb(words[place - 1])):
            return False
    return False


def _is_verb(word: str) -> bool:
    return word in _VERBS or (word[0] in "وفسل" and word[1:] in _VERBS)
