"""Numbers before the nouns that they count, spans, percentages, fractions, and whatever figures are left."""

from __future__ import annotations

import re
from decimal import Decimal

from core.text.arabic.amounts import amount, bare_span, is_span, joined, signed, span
from core.text.arabic.cases import case_after, folded
from core.text.arabic.decimals import FRACTIONS, HALVES, decimal
from core.text.arabic.nouns import Noun, looks_feminine, noun_of
from core.text.arabic.numbers import Case, Form, cardinal, digits, dual
from core.text.figures import is_label, whole
from core.text.folding import fold

_N = r"\d{1,15}(?:\.\d+)?"
_B = r"(?<![\dA-Za-z_.,:/+])(?<!\d-)"
_WORD = r"[ء-يٱ\u064b-\u0652]+"
_BETWEEN = r"(?:\s*(-|(?<=\s)(?:إلى|الى|حتى|أو|او|و)(?=\s|\d))\s*(\d{1,15}))?"
_SCALED = re.compile(rf"{_B}({_N})\s?(ألف|آلاف|الف|مليون|ملايين|مليار|مليارات|k|K)(?!{_WORD}|\w)")
_SCALES = {"ألف": 3, "آلاف": 3, "الف": 3, "k": 3, "K": 3, "مليون": 6, "ملايين": 6, "مليار": 9, "مليارات": 9}
"""Powers of ten."""
_HUNDRED = "بالمئة|بالمائة|في المئة|في المائة"
_ADJECTIVE = (
    "جديد|قديم|كبير|صغير|طويل|قصير|كامل|إضافي|واسع|مجاني|مختلف|متاح|مكيف|فاخر|مشترك|خاص|متوسط|خفيف|ثقيل"
    "|ذكي|سريع|شاغر|فارغ|مستعمل|أصلي|رقمي|مزدوج|مفرد|عادي|مميز|رئيسي|فرعي|شهري|يومي|أسبوعي|سنوي|دولي|محلي"
    "|مفتوح|مغلق|محجوز|مدفوع|متتال|متبق|قادم|سابق|أخير|أول|رسمي|حكومي|خارجي|داخلي|علوي|سفلي|مباشر|عاجل"
    "|قريب|بعيد|جميل|ممتاز|رخيص|متوفر|متفرق|متكرر|مضاعف|بالغ|راشد"
)
_COUNTED = re.compile(
    rf"{_B}(-?{_N}){_BETWEEN}\s?({_WORD})(?:(\s+({_ADJECTIVE})(?:ة|(?<!ي)(?:ًا|اً|ا))?(?!{_WORD}|\w))|(?=(\s+{_WORD})?))"
)
_PERCENT = re.compile(rf"{_B}(?:%\s?({_N})|(-?{_N})(?:\s*(-|إلى|الى)\s*({_N}))?\s?(?:%|{_HUNDRED}))(?!\w)")
_FRACTION = re.compile(rf"{_B}(?:(\d+)\s+)?(\d{{1,2}}/\d{{1,2}})(?![\d/%])(?:\s+({_WORD}))?")
_RATING = re.compile(rf"{_B}(\d\.\d)/(5|10)(?![\d/.])")
_ALL_DAY = re.compile(r"(?<![\d/])24/7(?![\d/])")
_PRESSURE = re.compile(r"(?<![\d/.,])(\d{2,3})/(\d{2,3})(?![\d/]|[.,]\d)")
_DOTTED = re.compile(r"(?<![\d.])\d+(?:\.\d+){2,}(?![\d.]*\d)")
_BARE_SPAN = re.compile(rf"{_B}(\d{{1,9}})\s*-\s*(\d{{1,9}})(?![\d.,:/-]*\d)")
_NUMBER = re.compile(rf"(?:(?<!\w)(?<!\d-))(-)(?={_N})|(\d+(?:\.\d+)?)")
_YEAR_BEFORE = re.compile(r"(?<!\w)[ولب]?(?:ال)?سنة\s+\Z")
_FUNCTION_WORDS = folded("""
من في إلى على عن مع و أو ثم حتى كل هو هي هذا هذه ذلك التي الذي لا لم لن ما قد إن أن لكن بعد قبل عند فقط أيضا تقريبا
يوميا شهريا سنويا أسبوعيا بالمئة بالمائة زائد ناقص يساوي فاصلة فأكثر فأقل للهجرة للميلاد لكل مقابل بين هنا هناك
""")
_POSSESSED = folded("""
عمل دراسة سفر إجازة ضمان قهوة شاي ماء عصير حليب لبن نوم أرز سكر طحين تفاح خبز غيار قماش تمر عسل زيت لحم دجاج ملابس ذهب
تدريب خبرة خدمة راحة انتظار أطفال كبار ذهاب إياب
""")


def say_scales(text: str) -> str:
    """`1.5 مليون` and `10k` in figures alone."""
    return _SCALED.sub(_scaled, text)


def _scaled(found: re.Match[str]) -> str:
    if found[0] in ("2K", "4K", "8K"):
        return found[0]
    exact = whole(str(Decimal(found[1]).scaleb(_SCALES[found[2]])))
    return found[0] if exact is None or exact >= 10**15 else str(exact)


def say_percentages(text: str) -> str:
    """`20%`, `%20` and `10-15%` with بالمئة."""
    return _PERCENT.sub(_percent, text) if "%" in text or "المئة" in text or "المائة" in text else text


def _percent(found: re.Match[str]) -> str:
    before = found.string[: found.start()]
    figures = found[1] or found[2]
    if found[4]:
        genitive = Form(case=Case.GENITIVE)
        low, high = _halved(figures, genitive), _halved(found[4], genitive)
        return f"{joined(low, high, before, found[3])} بالمئة"
    return f"{signed(figures, _halved(figures.lstrip('-'), Form(case=case_after(before))))} بالمئة"


def _halved(figures: str, form: Form) -> str:
    """A number without a noun, its half and quarters by name."""
    units, _, rest = figures.lstrip("-").partition(".")
    if rest in HALVES and int(units):
        return f"{cardinal(int(units), form)} و{HALVES[rest]}"
    return decimal(figures.lstrip("-"), form)


def say_fractions(text: str) -> str:
    """`1/2 ساعة`, `2 1/2`, `3/10`, and blood pressure: `120/80`."""
    if "/" not in text:
        return text
    text = _RATING.sub(r"\1 من \2", _ALL_DAY.sub("على مدار الساعة", text))
    text = _PRESSURE.sub(r"\1 على \2", text)
    return _FRACTION.sub(_fraction, text)


def _fraction(found: re.Match[str]) -> str:
    units, written, following = found[1], found[2], found[3]
    name = FRACTIONS.get(written)
    tail = f" {following}" if following else ""
    case = case_after(found.string[: found.start()])
    if name == "ثلثان":
        name = dual("ثلث", case.oblique, construct=following is not None)
    if name is None:
        low, high = (cardinal(int(part), Form(case=case)) for part in written.split("/"))
        return f"{f'{cardinal(int(units))} و' if units else ''}{low} على {high}{tail}"
    noun = noun_of(following) if following else None
    if not units:
        return f"{name} {noun.singular}" if noun else f"{name}{tail}"
    if noun is None:
        return f"{cardinal(int(units), Form(case=case))} و{name}{tail}"
    return f"{noun.singular if units == '1' else noun.counted(int(units), case)} و{name}"


def say_counted(text: str) -> str:
    """Figures before an Arabic word: in words that agree with it, and the word as they ask for it."""
    return _COUNTED.sub(_counted, text)


def _counted(found: re.Match[str]) -> str:
    figures, last = found[1], found[3]
    before = found.string[: found.start()]
    noun = _noun(found[4])
    between = {"الى": "إلى", "او": "أو"}.get(found[2], found[2])
    if noun is None or is_label(figures.lstrip("-")) or (between and (between == "و") != _is_between(before)):
        return found[0]
    if last and not is_span(figures, last):
        return found[0]
    adjective = found[6] if found[6] and _takes_adjective(last or figures, noun, found[5]) else ""
    rest = "" if adjective else found[5] or ""
    if last:
        return span(figures, last, noun, before, between, adjective) + rest
    said = _possessed(figures, noun, before, found[7])
    return (said or amount(figures, noun, case_after(before), adjective)) + rest


def _noun(word: str) -> Noun | None:
    """What the word counts; None where it is not known and does not look like a feminine noun."""
    noun = noun_of(word)
    if noun is None and looks_feminine(word) and not _is_function(word):
        return _guessed(word)
    return noun


def _takes_adjective(figures: str, noun: Noun, written: str) -> bool:
    """Whether the adjective as it is written is to agree with the noun. Plurals of people have plurals of their own
    (ثلاثة موظفين جدد), and what is feminine behind a masculine singular is a predicate (عشرون مقعدًا محجوزة)."""
    number = whole(figures)
    if number is None:
        return False
    if 3 <= abs(number) % 100 <= 10:
        return not noun.human
    return noun.feminine or not written.endswith("ة")


def _possessed(figures: str, noun: Noun, before: str, following: str | None) -> str | None:
    """`15 يوم عمل`: a noun with what it is of behind it has no tanwin, and its dual no nun."""
    number = whole(figures)
    if not following or fold(following) not in _POSSESSED or number is None:
        return None
    case = case_after(before)
    if number == 1:
        return noun.singular
    if number == 2 and noun.plural:
        return dual(noun.singular, case.oblique, construct=True)
    if number % 100 > 10 and not noun.feminine:
        return f"{cardinal(number, Form(case=case))} {noun.singular}"
    return None


def _guessed(word: str) -> Noun:
    """A feminine noun that is not in the lexicon: its plural is taken as it is, or from its singular."""
    if word.endswith("ات"):
        return Noun(f"{word[:-2]}ة", word, feminine=True)
    return Noun(word, f"{word[:-1]}ات" if word.endswith("ة") else word, feminine=True)


def _is_between(before: str) -> bool:
    return bool(re.search(r"(?<!\w)و?بين\s*\Z", before[-10:]))


def _is_function(word: str) -> bool:
    return fold(word) in _FUNCTION_WORDS or word.startswith(("ال", "وال", "بال", "لل", "و"))


def say_numbers(text: str) -> str:
    """Whatever figures are left, as numbers that count nothing."""
    text = _DOTTED.sub(lambda found: " نقطة ".join(cardinal(int(part)) for part in found[0].split(".")), text)
    text = _BARE_SPAN.sub(_bare_span, text)
    return _NUMBER.sub(_number, text)


def _bare_span(found: re.Match[str]) -> str:
    if not is_span(found[1], found[2]) or is_label(found[1]):
        return f"{found[1]} {found[2]}"
    return bare_span(found[1], found[2], found.string[: found.start()])


def _number(found: re.Match[str]) -> str:
    if found[1]:
        return "سالب "
    figures, before = found[2], found.string[: found.start()]
    if is_label(figures):
        return digits(figures.replace(".", "")) if "." not in figures else _long_decimal(figures)
    tail = " " if found.string[found.end() : found.end() + 1].isalpha() else ""
    return decimal(figures, Form(bool(_YEAR_BEFORE.search(before[-12:])), case_after(before))) + tail


def _long_decimal(figures: str) -> str:
    units, _, rest = figures.partition(".")
    return f"{digits(units)} فاصلة {digits(rest)}"
